import { settleAll } from "../async/settle-all.ts";
import { within } from "../async/within.ts";
import { NotReadyError } from "../errors.ts";
import type { ControlPlane } from "../istio/control-plane.ts";
import { CRDS, dueCrds } from "../istio/crds.ts";
import type { KubernetesObject, MemberApi } from "../ports.ts";

const ESTABLISHED_TIMEOUT_MS = 30_000;

/** Applies those that are due, and waits until the API server serves them. */
export async function applyCrds(
  api: MemberApi,
  desired: Pick<ControlPlane, "crds" | "istioVersion">,
  meshId: string,
  signal: AbortSignal,
): Promise<void> {
  const due = dueCrds(await api.reader.list(CRDS, signal), desired, meshId);
  if (due.length === 0) return;
  await settleAll(due.map((crd) => api.writer.apply(crd, { force: true, signal })));
  await established(
    api,
    due.map(({ metadata }) => metadata.name),
    meshId,
    signal,
  );
}

async function established(
  api: MemberApi,
  names: readonly string[],
  meshId: string,
  signal: AbortSignal,
): Promise<void> {
  const query = { ...CRDS, metadataOnly: false, labelSelector: `meshjoin.dev/mesh=${meshId}` };
  const missing = (crds: readonly KubernetesObject[]) => {
    const served = new Set(crds.filter(isEstablished).map(({ metadata }) => metadata.name));
    return names.filter((name) => !served.has(name));
  };
  const limit = within(signal, ESTABLISHED_TIMEOUT_MS);
  const left = missing(await api.reader.until(query, (crds) => missing(crds).length === 0, limit));
  if (left.length > 0) {
    throw new NotReadyError(
      `custom resource definitions are not established yet: ${left.join(", ")}; it is tried again`,
      { code: "CrdsNotEstablished" },
    );
  }
}

function isEstablished(crd: KubernetesObject): boolean {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- apiextensions/v1
  const status = crd["status"] as { conditions?: readonly { type: string; status: string }[] } | undefined;
  return (status?.conditions ?? []).some(({ type, status: is }) => type === "Established" && is === "True");
}

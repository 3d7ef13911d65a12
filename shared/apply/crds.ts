import { within } from "../async/within.ts";
import { NotReadyError } from "../errors.ts";
import type { KubernetesObject } from "../ports/kubernetes-object.ts";
import type { MemberApi, ObjectQuery } from "../ports/member-api.ts";

const ESTABLISHED_TIMEOUT_MS = 30_000;

/**
 * Waits until the API server serves these CRDs, which `query` finds whole. Fails with NotReadyError
 * `CrdsNotEstablished`.
 */
export async function awaitServed(
  api: MemberApi,
  crds: readonly KubernetesObject[],
  query: ObjectQuery,
  signal: AbortSignal,
): Promise<void> {
  const names = crds.map(({ metadata }) => metadata.name);
  const missing = (objects: readonly KubernetesObject[]) => {
    const served = new Set(objects.filter(isEstablished).map(({ metadata }) => metadata.name));
    return names.filter((name) => !served.has(name));
  };
  const limit = within(signal, ESTABLISHED_TIMEOUT_MS);
  const unserved = missing(await api.reader.until(query, (objects) => missing(objects).length === 0, limit));
  if (unserved.length > 0) {
    throw new NotReadyError(`custom resource definitions are not established yet: ${unserved.join(", ")}`, {
      code: "CrdsNotEstablished",
    });
  }
}

function isEstablished(crd: KubernetesObject): boolean {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- apiextensions/v1
  const status = crd["status"] as { conditions?: readonly { type: string; status: string }[] } | undefined;
  return (status?.conditions ?? []).some(({ type, status: is }) => type === "Established" && is === "True");
}

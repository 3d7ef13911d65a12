import { settleAll } from "../async/settle-all.ts";
import { annotation } from "../core/names.ts";
import { NotReadyError } from "../errors.ts";
import type { ControlPlane } from "../istio/control-plane.ts";
import { ownerOf } from "../istio/ownership.ts";
import type { KubernetesObject, MemberApi } from "../ports.ts";

const CRDS = { apiVersion: "apiextensions.k8s.io/v1", kind: "CustomResourceDefinition" };
const ESTABLISHED_TIMEOUT_MS = 30_000;

/** Absent or older ones only: a CRD is shared with whoever else uses Istio's API in the cluster, and never goes back. */
export async function applyCrds(
  api: MemberApi,
  { crds, istioVersion }: ControlPlane,
  meshId: string,
  signal: AbortSignal,
): Promise<void> {
  const existing = await api.reader.list({ ...CRDS, metadataOnly: true }, signal);
  const versions = new Map(existing.map((crd) => [crd.metadata.name, versionOf(crd, meshId)]));
  const due = crds.filter(({ metadata }) => {
    const version = versions.get(metadata.name);
    return version === undefined || isOlder(version, istioVersion);
  });
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
  const query = { ...CRDS, labelSelector: `meshjoin.dev/mesh=${meshId}` };
  const missing = (crds: readonly KubernetesObject[]) => {
    const served = new Set(crds.filter(isEstablished).map(({ metadata }) => metadata.name));
    return names.filter((name) => !served.has(name));
  };
  const limit = AbortSignal.any([signal, AbortSignal.timeout(ESTABLISHED_TIMEOUT_MS)]);
  const left = missing(await api.reader.until(query, (crds) => missing(crds).length === 0, limit));
  if (left.length > 0) {
    throw new NotReadyError(
      `custom resource definitions are not established yet: ${left.join(", ")}; it is tried again`,
      { code: "CrdsNotEstablished" },
    );
  }
}

function versionOf({ metadata }: KubernetesObject, meshId: string): string {
  const { annotations = {}, labels = {} } = metadata;
  const ours = ownerOf(metadata, meshId) === "foreign" ? undefined : annotations[annotation("istio-version")];
  // Before Istio's charts told their version, this is what they called themselves (`crd-all.gen.yaml`).
  const early = labels["release"] === "istio" ? "0.0.0" : "";
  return ours ?? labels["app.kubernetes.io/version"] ?? early;
}

/** An unknown version is left alone: nothing says that ours is newer. */
function isOlder(version: string, than: string): boolean {
  const [mine, other] = [parseVersion(version), parseVersion(than)];
  if (mine === undefined || other === undefined) return false;
  const index = mine.findIndex((part, position) => part !== other[position]);
  return index !== -1 && (mine[index] ?? 0) < (other[index] ?? 0);
}

function parseVersion(version: string): number[] | undefined {
  const parts = /^v?(\d+)\.(\d+)\.(\d+)/.exec(version);
  return parts === null ? undefined : parts.slice(1).map(Number);
}

function isEstablished(crd: KubernetesObject): boolean {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- apiextensions/v1
  const status = crd["status"] as { conditions?: readonly { type: string; status: string }[] } | undefined;
  return (status?.conditions ?? []).some(({ type, status: is }) => type === "Established" && is === "True");
}

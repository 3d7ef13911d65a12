import { annotation } from "../core/names.ts";
import { ConflictError, NotReadyError } from "../errors.ts";
import { type ControlPlane, withoutFailurePolicy } from "../istio/control-plane.ts";
import { ownerOf } from "../istio/ownership.ts";
import type { KubernetesObject, MemberApi } from "../ports.ts";
import { applyOwned, assertOurs } from "./owned.ts";

const CRDS = { apiVersion: "apiextensions.k8s.io/v1", kind: "CustomResourceDefinition" };
const ESTABLISHED_TIMEOUT_MS = 30_000;

/** CRDs until they are served, then everything else side by side, istiod's Deployment last: its hash says "all done". */
export async function applyControlPlane(
  api: MemberApi,
  desired: ControlPlane,
  meshId: string,
  signal: AbortSignal,
): Promise<void> {
  await applyCrds(api, desired, meshId, signal);
  await Promise.all([
    ...desired.others.map((object) => applyOwned(api, object, meshId, signal)),
    ...desired.validatingWebhooks.map((webhook) => applyValidatingWebhook(api, webhook, meshId, signal)),
  ]);
  await applyOwned(api, desired.deployment, meshId, signal);
}

/** Absent or older ones only: a CRD is shared with whoever else uses Istio's API in the cluster, and never goes back. */
async function applyCrds(
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
  await Promise.all(due.map((crd) => api.writer.apply(crd, { force: true, signal })));
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

/**
 * Created as rendered, and from then on applied without `failurePolicy`. A POST, not an apply, because an apply
 * would own the field, and dropping it later would reset it to its default, Fail, before istiod can answer.
 */
async function applyValidatingWebhook(
  api: MemberApi,
  webhook: KubernetesObject,
  meshId: string,
  signal: AbortSignal,
): Promise<void> {
  try {
    await api.writer.create(webhook, signal);
  } catch (error) {
    if (!(error instanceof ConflictError) || error.code !== "AlreadyExists") throw error;
    await assertOurs(api, webhook, meshId, signal, error);
    await api.writer.apply(withoutFailurePolicy(webhook), { force: true, signal });
  }
}

function versionOf({ metadata }: KubernetesObject, meshId: string): string {
  const ours =
    ownerOf(metadata, meshId) === "foreign" ? undefined : metadata.annotations?.[annotation("istio-version")];
  return ours ?? metadata.labels?.["app.kubernetes.io/version"] ?? "";
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

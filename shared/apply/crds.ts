import { again } from "../async/again.ts";
import { within } from "../async/within.ts";
import { NotReadyError } from "../errors.ts";
import type { KubernetesObject } from "../ports/kubernetes-object.ts";
import type { MemberApi, ObjectQuery } from "../ports/member-api.ts";

const ESTABLISHED_TIMEOUT_MS = 30_000;
const SERVED_TIMEOUT_MS = 30_000;
const PAUSE_MS = 200;

/**
 * Waits until these CRDs, which `query` finds whole, are established. Fails with NotReadyError
 * `CrdsNotEstablished`.
 */
export async function awaitEstablished(
  api: MemberApi,
  crds: readonly KubernetesObject[],
  query: ObjectQuery,
  signal: AbortSignal,
): Promise<void> {
  const names = crds.map(({ metadata }) => metadata.name);
  const missing = (objects: readonly KubernetesObject[]) => {
    const established = new Set(objects.filter(isEstablished).map(({ metadata }) => metadata.name));
    return names.filter((name) => !established.has(name));
  };
  const limit = within(signal, ESTABLISHED_TIMEOUT_MS);
  const late = missing(await api.reader.until(query, (objects) => missing(objects).length === 0, limit));
  if (late.length > 0) {
    throw new NotReadyError(`custom resource definitions are not established yet: ${late.join(", ")}`, {
      code: "CrdsNotEstablished",
    });
  }
}

/**
 * Idempotent work on custom resources whose CRDs are new. An API server answers 404 for a moment after a CRD
 * is established, and of several API servers each takes notice in its own time. Such work begins anew;
 * after 30 s it fails with `KindNotServed`.
 */
export async function onceServed<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T> {
  return await again(work, isUnserved, PAUSE_MS, within(signal, SERVED_TIMEOUT_MS));
}

function isUnserved(error: unknown): boolean {
  return error instanceof NotReadyError && error.code === "KindNotServed";
}

function isEstablished(crd: KubernetesObject): boolean {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- apiextensions/v1
  const status = crd["status"] as { conditions?: readonly { type: string; status: string }[] } | undefined;
  return (status?.conditions ?? []).some(({ type, status: is }) => type === "Established" && is === "True");
}

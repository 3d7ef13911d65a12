import { ConflictError, RefusedError } from "../errors.ts";
import { ownerOf } from "../istio/ownership.ts";
import type { KubernetesObject } from "../ports/kubernetes-object.ts";
import type { MemberApi, ObjectRef } from "../ports/member-api.ts";

/**
 * Server-side apply that takes nothing from anybody (design rule 6). It starts without force: an object that is not
 * there, or that only we manage, needs none. A conflict is forced on an object with our labels, and is the error
 * `ForeignObject` on any other, with nothing written. An object without a single field that could conflict is adopted.
 */
export async function applyOwned(
  api: MemberApi,
  object: KubernetesObject,
  meshId: string,
  signal: AbortSignal,
): Promise<void> {
  try {
    await api.writer.apply(object, { signal });
  } catch (error) {
    if (!(error instanceof ConflictError) || error.code !== "FieldConflict") throw error;
    await assertOurs(api, object, meshId, signal, error);
    await api.writer.apply(object, { force: true, signal });
  }
}

/** POST. What is there already is applied over, as `again`, if it is ours; on any other it is the error `ForeignObject`. */
export async function createOwned(
  api: MemberApi,
  object: KubernetesObject,
  meshId: string,
  signal: AbortSignal,
  again: KubernetesObject = object,
): Promise<void> {
  try {
    await api.writer.create(object, signal);
  } catch (error) {
    if (!(error instanceof ConflictError) || error.code !== "AlreadyExists") throw error;
    await assertOurs(api, object, meshId, signal, error);
    await api.writer.apply(again, { force: true, signal });
  }
}

/** Fails with RefusedError `ForeignObject` unless the existing object carries our labels. */
async function assertOurs(
  api: MemberApi,
  object: KubernetesObject,
  meshId: string,
  signal: AbortSignal,
  cause: unknown,
): Promise<void> {
  const existing = await api.reader.get(refOf(object), signal);
  if (existing === undefined || ownerOf(existing.metadata, meshId) !== "ours") throw foreign(object, cause);
}

/** Fails with RefusedError `ForeignObject` if there is an object of the name that does not carry our labels. */
export async function assertNotForeign(
  api: MemberApi,
  object: KubernetesObject,
  meshId: string,
  signal: AbortSignal,
): Promise<void> {
  const existing = await api.reader.get(refOf(object), signal);
  if (existing !== undefined && ownerOf(existing.metadata, meshId) !== "ours") throw foreign(object);
}

/** What it costs that an object of this kind goes; nobody can tell from here what else relies on it. */
const OUTAGES: Readonly<Record<string, string>> = {
  Deployment:
    "of the workloads that it serves: no sidecar gets a certificate or configuration until another istiod serves it",
  Namespace: "of all that is in it, and of each workload of its istiod until that has started anew",
};

function foreign({ kind, metadata }: KubernetesObject, cause?: unknown): RefusedError {
  const managers = cause instanceof ConflictError ? cause.fields["managers"] : undefined;
  return new RefusedError(`${kind} ${metadata.name} exists and is not Meshjoin's`, {
    code: "ForeignObject",
    cure: `take the mesh label off the cluster; or delete it, an outage ${OUTAGES[kind] ?? "of whatever relies on it"}`,
    cause,
    ...(managers === undefined ? {} : { fields: { managers } }),
  });
}

function refOf({ apiVersion, kind, metadata }: KubernetesObject): ObjectRef {
  const { name, namespace } = metadata;
  return { apiVersion, kind, name, ...(namespace === undefined ? {} : { namespace }) };
}

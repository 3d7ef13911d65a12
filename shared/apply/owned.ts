import { ConflictError, RefusedError } from "../errors.ts";
import { ownerOf } from "../istio/ownership.ts";
import type { KubernetesObject } from "../ports/kubernetes-object.ts";
import type { MemberApi, ObjectRef } from "../ports/member-api.ts";

/**
 * Server-side apply that takes no object from another owner (design rule 6). It starts without force: an
 * object that does not exist, or that only Meshjoin manages, needs none. On an object with Meshjoin's labels
 * it forces a conflict; on any other it fails with `ForeignObject` and writes nothing. An object that sets no
 * field that could conflict is adopted.
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

/** POST. Applies `again` over an existing object of Meshjoin's; any other is the error `ForeignObject`. */
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

/** Deletes the object if it is there and Meshjoin's, and no successor of its name. */
export async function removeOwned(
  api: MemberApi,
  ref: ObjectRef,
  meshId: string,
  signal: AbortSignal,
): Promise<void> {
  const present = await api.reader.get(ref, signal);
  if (present === undefined || ownerOf(present.metadata, meshId) !== "ours") return;
  await api.writer.delete(ref, present.metadata.uid ?? "", signal);
}

/** Fails with RefusedError `ForeignObject` unless the existing object has Meshjoin's labels. */
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

/** Fails with RefusedError `ForeignObject` if an object of the name exists without Meshjoin's labels. */
export async function assertNotForeign(
  api: MemberApi,
  object: KubernetesObject,
  meshId: string,
  signal: AbortSignal,
): Promise<void> {
  const existing = await api.reader.get(refOf(object), signal);
  if (existing !== undefined && ownerOf(existing.metadata, meshId) !== "ours") throw foreign(object);
}

/** The outage that the deletion of an object of this kind causes; other kinds may serve anything. */
const OUTAGES: Readonly<Record<string, string>> = {
  Deployment:
    "of the workloads that it serves: no sidecar gets a certificate or configuration until another istiod serves it",
  Namespace: "of all that is in it, and of each workload of its istiod until the workload has restarted",
};

function foreign({ kind, metadata }: KubernetesObject, cause?: unknown): RefusedError {
  const managers = cause instanceof ConflictError ? cause.fields["managers"] : undefined;
  return new RefusedError(`${kind} ${metadata.name} exists and is not Meshjoin's`, {
    code: "ForeignObject",
    cure: `take the mesh label off the cluster; or delete the ${kind}, an outage ${OUTAGES[kind] ?? "of all that relies on it"}`,
    cause,
    ...(managers === undefined ? {} : { fields: { managers } }),
  });
}

export function refOf({ apiVersion, kind, metadata }: KubernetesObject): ObjectRef {
  const { name, namespace } = metadata;
  return { apiVersion, kind, name, ...(namespace === undefined ? {} : { namespace }) };
}

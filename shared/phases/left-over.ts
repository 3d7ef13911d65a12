import { type Finding, finding } from "../core/answers/finding.ts";
import { resourceOf } from "../core/kubernetes-requests.ts";
import { ISTIO_NAMESPACE } from "../core/names.ts";
import { isPruned } from "../istio/needed-permissions.ts";
import type { KubernetesObject } from "../ports/kubernetes-object.ts";
import type { MemberApi } from "../ports/member-api.ts";
import { eachOf, type Tried } from "./each-of.ts";

/** What Istio's charts call each of their objects a part of: other objects of ours are none of the manifest's. */
const PART_OF = "app.kubernetes.io/part-of";

/** Objects of ours that an earlier manifest held and the present one does not. */
export function leftOver(
  present: readonly KubernetesObject[],
  desired: ReadonlySet<string>,
  keyOf: (object: KubernetesObject) => string,
): KubernetesObject[] {
  return present.filter(
    (object) => object.metadata.labels?.[PART_OF] === "istio" && !desired.has(keyOf(object)),
  );
}

export interface Pruned extends Tried<KubernetesObject, KubernetesObject> {
  /** One for each that was deleted or left to a person. */
  readonly findings: readonly Finding[];
}

/** Deletes each that may be deleted, by its UID; of the others a person is told. */
export async function prune(
  api: MemberApi,
  id: string,
  objects: readonly KubernetesObject[],
  signal: AbortSignal,
): Promise<Pruned> {
  const mayGo = objects.filter(({ kind, metadata: { namespace } }) => {
    return isPruned(kind) && namespace === ISTIO_NAMESPACE;
  });
  const others = objects.filter((object) => !mayGo.includes(object));
  const tried = await eachOf(mayGo, id, wasDeleted, async (object) => {
    const { apiVersion, kind, metadata } = object;
    const { name, namespace = "", uid = "" } = metadata;
    await api.writer.delete({ apiVersion, kind, namespace, name }, uid, signal);
    return object;
  });
  const findings = [
    ...tried.done.map((object) => gone(object, id)),
    ...others.map((object) => stays(object, id)),
  ];
  return { ...tried, findings };
}

const wasDeleted = ({ kind, metadata }: KubernetesObject) => `${kind} ${metadata.name} was deleted`;

function gone({ kind, metadata: { name } }: KubernetesObject, id: string): Finding {
  const message = `${kind} ${name} of an earlier manifest of Istio is no part of the present one`;
  return finding("ObjectPruned", message, "nothing: it was deleted", id);
}

function stays({ kind, metadata: { name, namespace } }: KubernetesObject, id: string): Finding {
  const where = namespace === undefined ? "" : ` -n ${namespace}`;
  return finding(
    "ObjectLeftOver",
    `${kind} ${name} of an earlier manifest of Istio is no part of the present one, and Meshjoin deletes no object of that kind`,
    `if nothing else uses it: kubectl${where} delete ${resourceOf(kind).plural} ${name}`,
    id,
  );
}

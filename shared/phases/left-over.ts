import { type Finding, finding } from "../core/answers/finding.ts";
import type { ClusterRef } from "../core/cluster/cluster.ts";
import { kubectlOn, typedName } from "../core/cluster/gcloud.ts";
import { resourceOf } from "../core/kubernetes-requests.ts";
import type { NamedCluster } from "../core/member/observation.ts";
import { ISTIO_NAMESPACE, clusterId as idOf } from "../core/names.ts";
import { isPruned } from "../istio/needed-permissions.ts";
import type { KubernetesObject } from "../ports/kubernetes-object.ts";
import type { MemberApi } from "../ports/member-api.ts";
import { type Attempts, eachOf } from "./each-of.ts";

/** Istio's charts put this label on all their objects; other objects of Meshjoin are not the manifest's. */
const PART_OF = "app.kubernetes.io/part-of";

/** Meshjoin's objects of an earlier manifest that the present one does not contain. */
export function leftOver(
  present: readonly KubernetesObject[],
  desired: ReadonlySet<string>,
  keyOf: (object: KubernetesObject) => string,
): KubernetesObject[] {
  return present.filter(
    (object) => object.metadata.labels?.[PART_OF] === "istio" && !desired.has(keyOf(object)),
  );
}

export interface Pruned extends Attempts<KubernetesObject, KubernetesObject> {
  /** One for each object that was deleted or left to a person. */
  readonly findings: readonly Finding[];
}

/** Deletes the objects that Meshjoin may delete, by UID, and reports the others to a person. */
export async function prune(
  api: MemberApi,
  { clusterId: id, cluster }: NamedCluster,
  objects: readonly KubernetesObject[],
  signal: AbortSignal,
): Promise<Pruned> {
  const deletable = objects.filter(({ kind, metadata: { namespace } }) => {
    return isPruned(kind) && namespace === ISTIO_NAMESPACE;
  });
  const others = objects.filter((object) => !deletable.includes(object));
  const deletions = await eachOf(deletable, id, wasDeleted, async (object) => {
    const { apiVersion, kind, metadata } = object;
    const { name, namespace = "", uid = "" } = metadata;
    await api.writer.delete({ apiVersion, kind, namespace, name }, uid, signal);
    return object;
  });
  const findings = [
    ...deletions.results.map((object) => gone(object, id)),
    ...others.map((object) => stays(object, cluster.ref)),
  ];
  return { ...deletions, findings };
}

const wasDeleted = ({ kind, metadata }: KubernetesObject) => `${kind} ${metadata.name} was deleted`;

function gone({ kind, metadata: { name } }: KubernetesObject, id: string): Finding {
  const message = `${kind} ${name} of an earlier manifest of Istio is no part of the present one`;
  return finding("ObjectPruned", message, "nothing: Meshjoin deleted it", id);
}

function stays({ kind, metadata: { name, namespace } }: KubernetesObject, ref: ClusterRef): Finding {
  const where = namespace === undefined ? "" : ` -n ${typedName(namespace)}`;
  return finding(
    "ObjectLeftOver",
    `${kind} ${name} of an earlier manifest of Istio is no part of the present one, and Meshjoin deletes no object of that kind`,
    `if nothing else uses it: ${kubectlOn(ref)}${where} delete ${resourceOf(kind).plural} ${typedName(name)}`,
    idOf(ref),
  );
}

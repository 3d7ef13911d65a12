import type { WorkloadPods } from "../core/member/observation.ts";
import { ISTIO_NAMESPACE } from "../core/names.ts";
import type { KubernetesObject } from "../ports/kubernetes-object.ts";

/** On the pods of a Deployment: what their ReplicaSet's name ends with. */
const TEMPLATE_HASH_LABEL = "pod-template-hash";

/** Pods, counted by the workload that a person restarts; by the metadata alone. */
export function byWorkload(pods: readonly KubernetesObject[]): WorkloadPods[] {
  const groups = Map.groupBy(pods, ({ metadata }) => JSON.stringify(workloadOf(metadata)));
  return [...groups.values()]
    .flatMap((group): WorkloadPods[] =>
      group[0] === undefined ? [] : [{ ...workloadOf(group[0].metadata), pods: group.length }],
    )
    .toSorted((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
}

const keyOf = ({ namespace, workload }: WorkloadPods) => `${namespace}/${workload}`;

function workloadOf({
  name,
  namespace = ISTIO_NAMESPACE,
  labels = {},
  ownerReferences = [],
}: KubernetesObject["metadata"]): Pick<WorkloadPods, "namespace" | "workload"> {
  const [owner] = ownerReferences;
  if (owner === undefined) return { namespace, workload: `pod/${name}` };
  const suffix = `-${labels[TEMPLATE_HASH_LABEL] ?? ""}`;
  const isOfDeployment = owner.kind === "ReplicaSet" && suffix !== "-" && owner.name.endsWith(suffix);
  return isOfDeployment
    ? { namespace, workload: `deployment/${owner.name.slice(0, -suffix.length)}` }
    : { namespace, workload: `${owner.kind.toLowerCase()}/${owner.name}` };
}

import type { Reachable, WorkloadPods } from "../core/member/observation.ts";
import { ISTIO_NAMESPACE, NETWORK_LABEL } from "../core/names.ts";
import { asMeshjoinError } from "../errors.ts";
import { GATEWAY_NAME_LABEL } from "../istio/own-gateway.ts";
import type { KubernetesObject } from "../ports/kubernetes-object.ts";
import type { MemberApi } from "../ports/member-api.ts";

/** On the pods of a Deployment: what their ReplicaSet's name ends with. */
const TEMPLATE_HASH_LABEL = "pod-template-hash";

/**
 * The workloads with pods of another network than this one. istiod's injector gives each pod the label of the
 * network that istiod is in then, and it stays; Istio `pkg/kube/inject/webhook.go`, `applyMetadata`. Gateways
 * have theirs by intent. Never fails.
 */
export async function podsElsewhere(
  { reader }: MemberApi,
  network: string,
  clusterId: string,
  signal: AbortSignal,
): Promise<Reachable["podsElsewhere"]> {
  try {
    const pods = await reader.list(
      {
        apiVersion: "v1",
        kind: "Pod",
        labelSelector: `${NETWORK_LABEL},${NETWORK_LABEL}!=${network}`,
        fieldSelector: "status.phase!=Succeeded,status.phase!=Failed",
        metadataOnly: true,
      },
      signal,
    );
    return byWorkload(pods.filter(({ metadata }) => metadata.labels?.[GATEWAY_NAME_LABEL] === undefined));
  } catch (error) {
    const { code, message, cure, retryable } = asMeshjoinError(error, clusterId, "its pods were listed");
    return { unread: { code, message, cure, retryable } };
  }
}

function byWorkload(pods: readonly KubernetesObject[]): WorkloadPods[] {
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

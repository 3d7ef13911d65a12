import type { ClusterRef } from "../../../shared/core/cluster/cluster.ts";
import { clusterResource } from "../../../shared/core/names.ts";
import type { ComputeApi } from "../compute/api.ts";
import type { GkeBackend } from "./api.ts";
import { type ClusterRecord, networkOf, podRange } from "./cluster.ts";

export interface FirewallRulesOptions {
  readonly backend: GkeBackend;
  readonly clusters: () => readonly ClusterRecord[];
  readonly compute: () => ComputeApi;
}

/** Of a cluster's nodes; the hash is the beginning of the cluster's ID. */
export function nodeTag({ ref, id }: Pick<ClusterRecord, "ref" | "id">): string {
  return `${resourcePrefix({ ref, id })}-node`;
}

/**
 * Makes the rule with each cluster, and removes it with the cluster, by which GKE lets pods of one cluster
 * reach each other. A rule that denies comes before it if its priority is not greater. A cluster in a shared
 * VPC gets no such rule.
 */
export function withFirewallRules({ backend, clusters, compute }: FirewallRulesOptions): GkeBackend {
  const found = (ref: ClusterRef): ClusterRecord | undefined =>
    clusters().find((cluster) => clusterResource(cluster.ref) === clusterResource(ref));
  return {
    ...backend,
    async create(ref, settings) {
      const facts = await backend.create(ref, settings);
      const cluster = found(ref);
      if (cluster !== undefined && networkOf(ref.project, cluster.request.stated).project === ref.project) {
        compute().create(ref.project, podsRule(cluster));
      }
      return facts;
    },
    async remove(ref) {
      const cluster = found(ref);
      await backend.remove(ref);
      if (cluster !== undefined) compute().remove(ref.project, podsRule(cluster).name);
    },
  };
}

function resourcePrefix({ ref, id }: Pick<ClusterRecord, "ref" | "id">): string {
  return `gke-${ref.name}-${id.slice(0, 8)}`;
}

/** https://cloud.google.com/kubernetes-engine/docs/concepts/firewall-rules#cluster-fws */
function podsRule(cluster: ClusterRecord) {
  const { name: network } = networkOf(cluster.ref.project, cluster.request.stated);
  return {
    name: `${resourcePrefix(cluster)}-all`,
    network: `global/networks/${network}`,
    sourceRanges: [podRange(cluster)],
    targetTags: [nodeTag(cluster)],
    allowed: ["tcp", "udp", "icmp", "esp", "ah", "sctp"].map((IPProtocol) => ({ IPProtocol })),
  };
}

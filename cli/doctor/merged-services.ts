import { type Check, fine } from "../../shared/core/answers/check.ts";
import type { Cluster } from "../../shared/core/cluster/cluster.ts";
import { clusterId } from "../../shared/core/names.ts";
import type { Fleet } from "../../shared/ports/fleet.ts";
import { askMembers } from "./ask-members.ts";

/** One in the mesh, because several clusters have it. */
export interface MergedService {
  /** `namespace/name`. */
  readonly service: string;
  readonly clusterIds: readonly string[];
}

const SUBJECT = { name: "services", account: "caller" } as const;
const NAMED_MAX = 5;
/**
 * istiod's own namespace, the probe's, and what Istio keeps apart by itself;
 * `pilot/pkg/model/cluster_local.go`.
 */
const APART = /^(?:kube-system|istio-system|meshjoin-probe)\/|^default\/kubernetes$/;
/** GKE has the same Services there in every cluster. */
const GOOGLES = /^(?:gke|gmp)-/;

/**
 * Which Services two members have under one name. That is what a mesh is for, or an accident; only a person
 * knows. Members that cannot be read are another check's.
 */
export async function checkMergedServices(fleet: Fleet, members: readonly Cluster[]): Promise<Check[]> {
  const read = await servicesOf(fleet, members);
  if (read.size < 2) return [];
  const seen = read.size === members.length ? "" : `, of the ${read.size} whose Services could be read`;
  return [fine(SUBJECT, `${describeMerged(mergedServices(read))}${seen}`)];
}

/** `namespace/name` by cluster ID; without the clusters that do not answer. */
export async function servicesOf(
  fleet: Fleet,
  clusters: readonly Cluster[],
): Promise<ReadonlyMap<string, readonly string[]>> {
  const { seen } = await askMembers(clusters, SUBJECT, async (cluster, signal) => {
    const services = await fleet.member(cluster).reader.list({ apiVersion: "v1", kind: "Service" }, signal);
    const names = services.map(({ metadata }) => `${metadata.namespace}/${metadata.name}`);
    return [clusterId(cluster.ref), names] as const;
  });
  return new Map(seen);
}

/** Whether Istio keeps a Service of this `namespace/name` apart, or Meshjoin does. */
export function isKeptApart(service: string): boolean {
  return APART.test(service);
}

/** In the order of their names, those of Google's own namespaces last. */
export function mergedServices(servicesOfEach: ReadonlyMap<string, readonly string[]>): MergedService[] {
  const found = new Map<string, string[]>();
  for (const [id, services] of servicesOfEach) {
    for (const service of services) found.set(service, [...(found.get(service) ?? []), id]);
  }
  return [...found]
    .filter(([service, clusterIds]) => clusterIds.length > 1 && !isKeptApart(service))
    .map(([service, clusterIds]) => ({ service, clusterIds }))
    .toSorted((one, other) => rank(one) - rank(other) || (one.service < other.service ? -1 : 1));
}

function rank({ service }: MergedService): number {
  return GOOGLES.test(service) ? 1 : 0;
}

function describeMerged(merged: readonly MergedService[]): string {
  if (merged.length === 0) return "no two members have a Service of one name";
  const named = merged
    .slice(0, NAMED_MAX)
    .map(({ service, clusterIds }) => `${service} (${clusterIds.join(", ")})`);
  const rest = merged.length - named.length;
  const more = rest > 0 ? `, and ${rest} more` : "";
  return `in several members, and therefore one in the mesh: ${named.join(", ")}${more}; to keep one apart: docs/joined-and-now.md`;
}

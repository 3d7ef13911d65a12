import type { Cluster, ClusterRef } from "../core/cluster/cluster.ts";

/** The GKE API. */
export interface ClusterDirectory {
  get(ref: ClusterRef, signal?: AbortSignal): Promise<Cluster | undefined>;
  list(project: string, signal?: AbortSignal): Promise<ClusterListing>;
}

export interface ClusterListing {
  readonly clusters: readonly Cluster[];
  /** Locations that did not answer: absence from this list proves nothing about them. */
  readonly missingLocations: readonly string[];
}

import type { ClusterRef } from "../core/cluster/cluster.ts";

/** What GKE does with clusters. */
export interface ClusterOperations {
  /**
   * The types (`UPGRADE_MASTER`) of the operations on the cluster, or on a node pool of it, that are not
   * over. Fails with a MeshjoinError unless GKE told of all of them.
   */
  running(ref: ClusterRef, signal?: AbortSignal): Promise<readonly string[]>;
}

import type { ClusterRef } from "../core/cluster/cluster.ts";

/** One label of a cluster; `undefined` takes it off. */
export interface LabelChange {
  readonly key: string;
  readonly value: string | undefined;
  /** The one value that may be replaced or taken off; any, where it is left out. */
  readonly only?: string;
}

/** The resource labels of GKE clusters. For a person who joins or takes out a cluster: no trigger changes a label. */
export interface ClusterLabels {
  /**
   * Leaves all other labels as they are, also those that somebody else changes at the same time; resolves when GKE has
   * done it, and answers whether there was anything to do. Fails with ConflictError `ClusterBusy` if GKE does not stop
   * doing something else with the cluster, and with RefusedError `LabelTaken` if the label has by then another value than
   * the one that may be changed.
   */
  set(ref: ClusterRef, change: LabelChange, signal?: AbortSignal): Promise<boolean>;
}

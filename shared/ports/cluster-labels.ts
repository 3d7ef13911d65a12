import type { ClusterRef } from "../core/cluster/cluster.ts";

/** One label of a cluster; `undefined` removes it. */
export interface LabelChange {
  readonly key: string;
  readonly value: string | undefined;
  /** The only value that may be replaced or removed; any value if left out. */
  readonly only?: string;
}

/** The resource labels of GKE clusters. Only a person's command changes them; no trigger does. */
export interface ClusterLabels {
  /**
   * Leaves all other labels as they are, also those that another client changes at the same time. Resolves
   * when GKE has finished, and answers whether it changed anything. Fails with ConflictError `ClusterBusy` if
   * another operation of GKE on the cluster does not end, and with RefusedError `LabelTaken` if the label has
   * another value than `only`.
   */
  set(ref: ClusterRef, change: LabelChange, signal?: AbortSignal): Promise<boolean>;
}

import type { Cluster, ClusterRef } from "../core/cluster/cluster.ts";
import type { Absence } from "../core/member/absence.ts";
import type { MeshSpec } from "../core/spec.ts";

/** A supplier of clusters: it lists them, gets one by name, and says what its list leaves out. */
export interface ClusterSource {
  /** As in the configuration; unique among the sources. */
  readonly id: string;
  /** For people. */
  readonly name: string;
  /** The requirements of its list: an API, and a role on the project that the API is asked about. */
  readonly needs: SourceNeeds;
  /** The absence that follows when the source has no cluster of a name. */
  readonly gone: Pick<Absence, "why" | "runsOn">;
  /** Fails with a MeshjoinError if the source tells nothing. */
  list(signal?: AbortSignal): Promise<SourceListing>;
  /** Undefined proves that no cluster has the name; anything short of that proof fails. */
  get(ref: ClusterRef, signal?: AbortSignal): Promise<Cluster | undefined>;
}

export interface SourceNeeds {
  readonly api: string;
  readonly project: string;
  readonly role: string;
}

export interface SourceListing {
  readonly clusters: readonly Cluster[];
  /** The parts that did not answer, for people; empty if all did. */
  readonly silent: readonly string[];
  /** Whether the list cannot tell if a cluster of this name exists. */
  leavesOut(ref: ClusterRef): boolean;
}

/** All possible sources. */
export interface ClusterSources {
  /** The sources that the configuration names. */
  configured(spec: MeshSpec): readonly ClusterSource[];
  /** The source of a cluster of this name, configured or not. */
  of(ref: ClusterRef): ClusterSource;
}

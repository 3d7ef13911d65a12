import type { Cluster, ClusterRef } from "../core/cluster/cluster.ts";
import type { Absence } from "../core/member/departure.ts";
import type { MeshSpec } from "../core/spec.ts";

/** Where clusters come from: one that lists them, gets one by its name, and says what its list does not cover. */
export interface ClusterSource {
  /** As the configuration has it; no two sources have one. */
  readonly id: string;
  /** For people. */
  readonly name: string;
  /** What its list takes: the API that answers it, and a role on the project that the API is asked about. */
  readonly needs: SourceNeeds;
  /** What follows from it that there is none of a name. */
  readonly gone: Pick<Absence, "why" | "runsOn">;
  /** Fails with a MeshjoinError where nothing of the source is known. */
  list(signal?: AbortSignal): Promise<SourceListing>;
  /** Undefined proves that there is none of the name; anything short of that fails. */
  get(ref: ClusterRef, signal?: AbortSignal): Promise<Cluster | undefined>;
}

export interface SourceNeeds {
  readonly api: string;
  readonly project: string;
  readonly role: string;
}

export interface SourceListing {
  readonly clusters: readonly Cluster[];
  /** What has not answered, for people; empty where all has. */
  readonly silent: readonly string[];
  /** Whether the list says nothing of a cluster of this name, be it in it or not. */
  leavesOut(ref: ClusterRef): boolean;
}

/** All sources that there may be. */
export interface ClusterSources {
  /** Those that the configuration names. */
  configured(spec: MeshSpec): readonly ClusterSource[];
  /** Where a cluster of this name would come from, whether or not the configuration names that source. */
  of(ref: ClusterRef): ClusterSource;
}

import type { Cluster, ClusterRef } from "../core/cluster.ts";
import { isLeftOut } from "../core/membership.ts";
import { MeshjoinError } from "../errors.ts";
import type { ClusterDirectory } from "../ports.ts";
import type { Run } from "../run.ts";

/** Where clusters come from: one that lists them, gets one by its name, and says what its list does not cover. */
export interface ClusterSource {
  /** For people. */
  readonly name: string;
  /** Fails with a MeshjoinError where nothing of the source is known. */
  list(signal: AbortSignal): Promise<SourceListing>;
  /** Whether a cluster of this name would come from here. */
  owns(ref: ClusterRef): boolean;
  /** Undefined proves that there is none of the name; anything short of that fails. */
  get(ref: ClusterRef, signal: AbortSignal): Promise<Cluster | undefined>;
}

export interface SourceListing {
  readonly clusters: readonly Cluster[];
  /** What has not answered, for people; empty where all has. */
  readonly silent: readonly string[];
  /** Whether the list says nothing of a cluster of this name, be it in it or not. */
  leavesOut(ref: ClusterRef): boolean;
}

/** As much of a run as it takes to find clusters. */
export interface Sources extends Pick<Run, "spec" | "signal"> {
  readonly ports: Pick<Run["ports"], "directory">;
}

/** All sources of the mesh: a GKE project each. */
export function clusterSources({ ports, spec }: Omit<Sources, "signal">): ClusterSource[] {
  return spec.projects.map((project) => gkeProject(ports.directory, project));
}

/** Where a cluster of this name would come from, whether or not the configuration still names that source. */
export function sourceOf(look: Omit<Sources, "signal">, ref: ClusterRef): ClusterSource {
  const known = clusterSources(look).find((source) => source.owns(ref));
  return known ?? gkeProject(look.ports.directory, ref.project);
}

function gkeProject(directory: ClusterDirectory, project: string): ClusterSource {
  return {
    name: `project ${project}`,
    async list(signal) {
      const { clusters, missingLocations } = await directory.list(project, signal);
      const leavesOut = ({ location }: ClusterRef) => isLeftOut(location, missingLocations);
      return { clusters, silent: missingLocations, leavesOut };
    },
    owns: (ref) => ref.project === project,
    get: (ref, signal) => directory.get(ref, signal),
  };
}

/** A source's listing, or why there is none. */
export async function listSource(
  source: ClusterSource,
  signal: AbortSignal,
): Promise<SourceListing | MeshjoinError> {
  try {
    return await source.list(signal);
  } catch (error) {
    if (error instanceof MeshjoinError) return error;
    throw error;
  }
}

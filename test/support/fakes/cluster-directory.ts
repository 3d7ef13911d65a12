import type { Cluster, ClusterRef } from "../../../shared/core/cluster/cluster.ts";
import { clusterResource } from "../../../shared/core/names.ts";
import { type MeshjoinError, RefusedError, UnavailableError } from "../../../shared/errors.ts";
import type { ClusterDirectory } from "../../../shared/ports/cluster-directory.ts";
import type { ClusterOperations } from "../../../shared/ports/cluster-operations.ts";

/** GKE's ClusterManager in memory. Its state may be changed at any time; the next call sees it. */
export interface FakeClusterDirectory extends ClusterDirectory, ClusterOperations {
  /** From now on an operation of this type runs on the cluster; undefined: none does. */
  operate(ref: ClusterRef, type: string | undefined): void;
  put(cluster: Cluster): void;
  /** Without being a call. */
  peek(ref: ClusterRef): Cluster | undefined;
  delete(ref: ClusterRef): void;
  /** Locations that the next lists leave out and name as missing. */
  missing(locations: readonly string[]): void;
  /** From now on nothing of this project may be read. */
  refuse(project: string): void;
  /** Ends that. */
  permit(project: string): void;
  /** The next call, of any method, fails with this. */
  failNext(error: MeshjoinError): void;
}

export interface FakeClusterDirectoryOptions {
  readonly projects: readonly string[];
  readonly clusters?: readonly Cluster[];
}

export function fakeClusterDirectory(options: FakeClusterDirectoryOptions): FakeClusterDirectory {
  const clusters = new Map(
    (options.clusters ?? []).map((cluster) => [clusterResource(cluster.ref), cluster]),
  );
  const operations = new Map<string, string>();
  let missingLocations: readonly string[] = [];
  const refused = new Set<string>();
  let failure: MeshjoinError | undefined;

  const enter = (project: string, permission: string, signal: AbortSignal | undefined) => {
    if (signal?.aborted === true) {
      throw new UnavailableError("the call was cancelled", { code: "Cancelled" });
    }
    const error = failure;
    failure = undefined;
    if (error !== undefined) throw error;
    if (!options.projects.includes(project) || refused.has(project)) {
      const message = `permission ${permission} is missing on project ${project}`;
      throw new RefusedError(message, { code: "PermissionDenied", cure: "grant a role that has it" });
    }
  };

  return {
    async get(ref, signal) {
      enter(ref.project, "container.clusters.get", signal);
      return clusters.get(clusterResource(ref));
    },
    async list(project, signal) {
      enter(project, "container.clusters.list", signal);
      const listed = [...clusters.values()].filter(
        ({ ref }) => ref.project === project && !missingLocations.includes(ref.location),
      );
      return { clusters: listed, missingLocations };
    },
    async running(ref, signal) {
      enter(ref.project, "container.operations.list", signal);
      if (missingLocations.includes(ref.location))
        throw new UnavailableError(`${ref.location} did not answer`, { code: "Unavailable" });
      return [operations.get(clusterResource(ref)) ?? []].flat();
    },
    operate(ref, type) {
      if (type === undefined) operations.delete(clusterResource(ref));
      else operations.set(clusterResource(ref), type);
    },
    peek: (ref) => clusters.get(clusterResource(ref)),
    put(cluster) {
      clusters.set(clusterResource(cluster.ref), cluster);
    },
    delete(ref) {
      clusters.delete(clusterResource(ref));
    },
    missing(locations) {
      missingLocations = locations;
    },
    refuse(project) {
      refused.add(project);
    },
    permit(project) {
      refused.delete(project);
    },
    failNext(error) {
      failure = error;
    },
  };
}

import type { protos } from "@google-cloud/container";
// The package's entry also loads a class for each message of the API: 3 MB of no use here.
import { ClusterManagerClient } from "@google-cloud/container/build/src/v1/index.js";
import { lazily } from "../async/lazily.ts";
import type { ClusterRef } from "../core/cluster/cluster.ts";
import { clusterResource } from "../core/names.ts";
import type { ClusterDirectory } from "../ports/cluster-directory.ts";
import { toCluster } from "./gke-cluster.ts";
import { callOptions, clientOptions, fromGoogleError, GRPC, grpcCode } from "./google-client.ts";

export interface GkeOptions {
  /** Instead of `https://container.googleapis.com`. */
  readonly endpoint?: URL | string;
}

/** GKE's ClusterManager API over REST. Nothing is loaded or opened before the first call. */
export function gkeDirectory(options: GkeOptions = {}): ClusterDirectory {
  const client = lazily(() => connectGke(options));
  return {
    async get(ref, signal) {
      try {
        const [cluster] = await (await client()).getCluster(
          { name: clusterResource(ref) },
          callOptions(signal),
        );
        return toCluster(ref.project, cluster);
      } catch (error) {
        if (grpcCode(error) === GRPC.notFound) return undefined;
        throw fromGoogleError(error, getCall(ref));
      }
    },
    async list(project, signal) {
      try {
        const parent = `projects/${project}/locations/-`;
        const [{ clusters, missingZones }] = await (await client()).listClusters(
          { parent },
          callOptions(signal),
        );
        return {
          clusters: (clusters ?? []).map((cluster: protos.google.container.v1.ICluster) =>
            toCluster(project, cluster),
          ),
          missingLocations: missingZones ?? [],
        };
      } catch (error) {
        throw fromGoogleError(error, listCall(project));
      }
    },
  };
}

export async function connectGke({ endpoint }: GkeOptions): Promise<ClusterManagerClient> {
  const client = new ClusterManagerClient(clientOptions(endpoint));
  // Else the first call initializes it, and missing credentials become an unhandled rejection.
  await client.initialize();
  return client;
}

function getCall(ref: ClusterRef) {
  const cluster = clusterResource(ref);
  return {
    attempt: `read ${cluster}`,
    permission: "container.clusters.get",
    resource: `project ${ref.project}`,
    fields: { cluster },
  };
}

function listCall(project: string) {
  return {
    attempt: `list the clusters of project ${project}`,
    permission: "container.clusters.list",
    resource: `project ${project}`,
    fields: { project },
  };
}

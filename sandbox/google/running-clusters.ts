import { rm } from "node:fs/promises";
import { request } from "node:https";
import { join } from "node:path";
import { json } from "node:stream/consumers";
import pLimit from "p-limit";
import { z } from "zod";
import type { ClusterRef } from "../../shared/core/cluster/cluster.ts";
import { clusterId } from "../../shared/core/names.ts";
import type { Binaries } from "../binaries/build.ts";
import type { ProxyFault } from "../cluster/fault-proxy.ts";
import type { ImageRegistry } from "../cluster/node/image-registry.ts";
import { type RunningCluster, startCluster } from "../cluster/running-cluster.ts";
import type { TrafficSupport } from "../cluster/traffic-support.ts";
import type { MemberFaults } from "./faults/control-server.ts";
import type { Fault } from "./faults/faults.ts";
import type { GkeBackend, KubernetesSettings } from "./gke/api.ts";

export interface RunningClustersOptions {
  readonly dir: string;
  readonly logDir: string;
  readonly binaries: Binaries;
  readonly tokenReviewUrl: string;
  readonly accessReviewUrl: string;
  readonly adminUsers: readonly string[];
  readonly registry: ImageRegistry;
  readonly traffic?: TrafficSupport;
  readonly autoscaler?: boolean;
  readonly progress: (line: string) => void;
}

/** The processes of the GKE stand-in's clusters, by cluster ID. */
export interface RunningClusters {
  readonly backend: GkeBackend;
  readonly faults: MemberFaults;
  get(id: string): RunningCluster | undefined;
  all(): readonly RunningCluster[];
  /** Also those that are still starting. */
  stop(): Promise<void>;
}

/** etcd and kube-apiserver keep two cores busy while they start; more at once only makes each slower. */
const STARTS_AT_ONCE = 2;
const RM_RETRIES = 5;
/** Addresses for which `startCluster` has pod networks. */
const CLUSTERS_MAX = 100;

export function createRunningClusters(options: RunningClustersOptions): RunningClusters {
  const running = new Map<string, RunningCluster>();
  const indexes = new Map<string, number>();
  const starting = new Set<Promise<unknown>>();
  const limit = pLimit(STARTS_AT_ONCE);
  let stopped = false;

  const start = async (ref: ClusterRef, settings: KubernetesSettings): Promise<RunningCluster> => {
    if (stopped) throw new Error("the sandbox is stopping; start it again");
    const id = clusterId(ref);
    const startedAt = Date.now();
    const cluster = await startCluster({
      name: id,
      location: ref.location,
      dir: join(options.dir, id),
      logDir: join(options.logDir, id),
      binaries: options.binaries,
      tokenReviewUrl: options.tokenReviewUrl,
      accessReviewUrl: options.accessReviewUrl,
      adminUsers: options.adminUsers,
      registry: options.registry,
      podCidrIndex: takeIndex(indexes, id),
      ...settings,
      ...(options.traffic !== undefined && { traffic: options.traffic }),
      autoscaler: options.autoscaler === true,
    });
    running.set(id, cluster);
    options.progress(`${ref.name} (${ref.location}) is up after ${seconds(startedAt)} s`);
    return cluster;
  };
  return {
    backend: {
      async create(ref, settings) {
        const started = limit(() => start(ref, settings));
        starting.add(started);
        try {
          const { server, caPem } = await started;
          return { endpoint: new URL(server).host, caPem, kubernetesVersion: await versionOf(server, caPem) };
        } finally {
          starting.delete(started);
        }
      },
      async setWorkloadPolicy(ref, policy) {
        const cluster = running.get(clusterId(ref));
        if (cluster === undefined) throw new Error(`${ref.name} is not running`);
        await cluster.setAutopilot(policy);
      },
      async remove(ref) {
        const id = clusterId(ref);
        const cluster = running.get(id);
        running.delete(id);
        await cluster?.stop();
        indexes.delete(id);
        // A token that a pod was just getting may still be written.
        await rm(join(options.dir, id), { recursive: true, force: true, maxRetries: RM_RETRIES });
      },
    },
    faults: {
      set(id, fault) {
        const cluster = running.get(id);
        if (cluster === undefined) return false;
        if (fault.kind === "gatewayAddress") cluster.loadBalancers.withhold(true);
        else cluster.proxy.setFault(proxyFault(fault));
        return true;
      },
      clearAll() {
        for (const { proxy, loadBalancers } of running.values()) {
          proxy.setFault(undefined);
          loadBalancers.withhold(false);
        }
      },
    },
    get: (id) => running.get(id),
    all: () => [...running.values()],
    async stop() {
      stopped = true;
      limit.clearQueue();
      await Promise.allSettled(starting);
      const results = await Promise.allSettled([...running.values()].map((cluster) => cluster.stop()));
      running.clear();
      const failed = results.filter((result) => result.status === "rejected");
      if (failed.length > 0) {
        throw new AggregateError(
          failed.map(({ reason }) => reason),
          "clusters did not stop; end their processes by hand",
        );
      }
    },
  };
}

function proxyFault({ kind, delayMs = 0, status = 500 }: Fault): ProxyFault {
  if (kind === "delay") return { kind, delayMs };
  return kind === "status" ? { kind, status } : { kind: "refuse" };
}

function takeIndex(indexes: Map<string, number>, id: string): number {
  const taken = new Set(indexes.values());
  for (let index = 0; index < CLUSTERS_MAX; index += 1) {
    if (taken.has(index)) continue;
    indexes.set(id, index);
    return index;
  }
  throw new Error(`the sandbox has room for ${CLUSTERS_MAX} clusters; delete one`);
}

function seconds(since: number): number {
  return Math.round((Date.now() - since) / 1000);
}

const versionSchema = z.object({ gitVersion: z.string() });

/** As GKE states it, without the leading `v`. An API server tells it to any caller. */
async function versionOf(server: string, ca: string): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<unknown>();
  request(`${server}/version`, { ca, agent: false }, (response) => resolve(json(response)))
    .on("error", reject)
    .end();
  return versionSchema.parse(await promise).gitVersion.replace(/^v/, "");
}

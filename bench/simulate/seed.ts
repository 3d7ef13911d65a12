import { gkeSources } from "../../shared/adapters/cluster-sources.ts";
import type { Cluster } from "../../shared/core/cluster/cluster.ts";
import { endpointDigest } from "../../shared/core/cluster/endpoint-digest.ts";
import { peerEndpoint } from "../../shared/core/cluster/endpoints.ts";
import { clusterId } from "../../shared/core/names.ts";
import { networkOf } from "../../shared/core/network/network.ts";
import { readerSecret, remoteSecret } from "../../shared/istio/secrets.ts";
import type { ClusterDirectory } from "../../shared/ports/cluster-directory.ts";
import type { Fleet } from "../../shared/ports/fleet.ts";
import { reconcile } from "../../shared/reconcile.ts";
import { createRotatorRuntime } from "../../shared/runtime.ts";
import type { FakeApiServer } from "../../test/support/fakes/member-api/api-server.ts";
import { processFaults } from "../../test/support/fakes/member-api/faults.ts";

export interface SeedOptions {
  /** `MESHJOIN_*`. */
  readonly env: Readonly<Record<string, string>>;
  /** The file that the build has rendered. */
  readonly manifest: string;
}

type ServerOf = (clusterId: string) => FakeApiServer;
type Run = Parameters<typeof reconcile>[0];

/**
 * Makes every labelled cluster a member of one mesh, without requests: Meshjoin itself writes the own halves,
 * one after the other as if each cluster were alone, and this file writes the pairs as Meshjoin would. A full
 * run that finds nothing to do proves it.
 */
export async function seedMesh({ env, manifest }: SeedOptions, serverOf: ServerOf): Promise<void> {
  const runtime = createRotatorRuntime(env, new URL(manifest));
  await runtime.withRun(
    () => undefined,
    async (run) => {
      const { spec, ports } = run;
      const listings = await Promise.all(ports.sources.configured(spec).map((source) => source.list()));
      const clusters = listings
        .flatMap((listing) => listing.clusters)
        .filter(({ labels }) => labels[spec.meshLabel] === spec.meshId);
      await seedOwnHalves({ ...run, signal: new AbortController().signal }, clusters, serverOf);
      await seedPairs(run, clusters, serverOf);
    },
  );
}

async function seedOwnHalves(run: Run, clusters: readonly Cluster[], serverOf: ServerOf): Promise<void> {
  const fleet: Fleet = {
    member: (cluster) => serverOf(clusterId(cluster.ref)).memberApi(processFaults()),
    close: () => Promise.resolve(),
  };
  const [first] = clusters.map((cluster) => serverOf(clusterId(cluster.ref)));
  for (const cluster of clusters) {
    const id = clusterId(cluster.ref);
    const { store } = serverOf(id);
    // The same in every cluster, and the largest objects.
    if (first !== undefined && first.store !== store) store.share(first.store, "CustomResourceDefinition");
    const alone: ClusterDirectory = {
      get: () => Promise.resolve(cluster),
      list: () => Promise.resolve({ clusters: [cluster], missingLocations: [] }),
    };
    const ports = { ...run.ports, fleet, sources: gkeSources(alone) };
    const { summary } = await reconcile({ ...run, ports }, { scope: { clusterId: id }, reason: "seed" }, [
      cluster,
    ]);
    if (summary.outcome !== "created" && summary.outcome !== "updated") {
      throw new Error(`${id} was not seeded: ${JSON.stringify(summary)}`);
    }
  }
}

async function seedPairs(
  { spec, ports }: Run,
  clusters: readonly Cluster[],
  serverOf: ServerOf,
): Promise<void> {
  const { meshId } = spec;
  const now = ports.clock.now();
  const secrets = new Map<string, ReturnType<typeof remoteSecret>[]>();
  for (const target of clusters) {
    const targetId = clusterId(target.ref);
    const server = serverOf(targetId);
    const { tokens } = server.memberApi(processFaults());
    const choice = peerEndpoint(target, spec.accessPeers, targetId);
    if ("finding" in choice) throw new Error(choice.finding.message);
    const bound: { readonly readerId: string; readonly name: string; readonly uid: string }[] = [];
    server.store.batch(() => {
      for (const reader of clusters.filter((each) => each !== target)) {
        const readerId = clusterId(reader.ref);
        const { metadata } = server.store.create(readerSecret(meshId, reader, readerId));
        bound.push({ readerId, name: metadata.name, uid: metadata.uid ?? "" });
      }
    });
    for (const { readerId, name, uid } of bound) {
      const grant = await tokens.request({ name, uid }, spec.tokenTtl);
      const parts = { endpoint: choice.endpoint, endpointDigest: endpointDigest(choice.endpoint) };
      const secret = remoteSecret({
        meshId,
        target,
        targetId,
        ...parts,
        network: networkOf(target),
        readerUid: uid,
        grant,
        now,
      });
      const ofReader = secrets.get(readerId) ?? [];
      secrets.set(readerId, ofReader);
      ofReader.push(secret);
    }
  }
  for (const [readerId, remote] of secrets) {
    const { store } = serverOf(readerId);
    store.batch(() => {
      for (const secret of remote) store.create(secret);
    });
  }
}

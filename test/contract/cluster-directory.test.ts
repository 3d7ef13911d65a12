import { once } from "node:events";
import { createServer } from "node:http";
import { describe, expect, it } from "@jest/globals";
import { GOOGLES_SERVICE_RANGE } from "../../sandbox/cluster/service-range.ts";
import { type GkeApi, type GkeBackend, startGke } from "../../sandbox/google/gke/api.ts";
import { gkeDirectory } from "../../shared/adapters/cluster-directory.ts";
import { gkeLabels } from "../../shared/adapters/cluster-labels.ts";
import { gkeOperations } from "../../shared/adapters/cluster-operations.ts";
import type { Cluster } from "../../shared/core/cluster/cluster.ts";
import { clusterResource } from "../../shared/core/names.ts";
import { UnavailableError } from "../../shared/errors.ts";
import { fakeClusterDirectory } from "../support/fakes/cluster-directory.ts";
import { fakeClusterLabels } from "../support/fakes/cluster-labels.ts";
import { type ClusterSeed, describeClusterDirectory } from "./cluster-directory.contract.ts";
import { describeClusterLabels, type LabelsWorld } from "./cluster-labels.contract.ts";
import { type Google, operate, PROJECT, startGoogle } from "./google.ts";

const CA = "-----BEGIN CERTIFICATE-----\n";
const CA_DATA = Buffer.from(CA).toString("base64");
const ADDRESS = "127.0.0.1:6443";

const backend: GkeBackend = {
  create: async () => ({ endpoint: ADDRESS, caPem: CA, kubernetesVersion: "1.36.3" }),
  setWorkloadPolicy: async () => undefined,
  remove: () => Promise.race([]),
};

async function startWorld(): Promise<LabelsWorld & { readonly api: GkeApi; readonly google: Google }> {
  const google = await startGoogle();
  const api = await startGke({ ...google, backend, onAuditEntry: () => undefined });
  const pathOf = (ref: Cluster["ref"]) => `${api.url}/v1/${clusterResource(ref)}`;
  return {
    api,
    google,
    directory: gkeDirectory({ endpoint: api.url }),
    operations: gkeOperations({ endpoint: api.url }),
    labels: gkeLabels({ endpoint: api.url }),
    async create(seed) {
      const { ref, labels, network, vpcNative, podRanges, autopilot, allowNetAdmin, privateNodes } = seed;
      const ownServices = seed.serviceRange !== GOOGLES_SERVICE_RANGE;
      const [clusterCidr, ...poolCidrs] = podRanges.cidrs;
      await operate(
        google,
        "POST",
        `${api.url}/v1/projects/${ref.project}/locations/${ref.location}/clusters`,
        {
          cluster: {
            name: ref.name,
            resourceLabels: labels,
            networkConfig: {
              network: `projects/${network.project}/global/networks/${network.name}`,
              ...(privateNodes ? { defaultEnablePrivateNodes: true } : {}),
            },
            ...(vpcNative ? {} : { clusterIpv4Cidr: clusterCidr }),
            ipAllocationPolicy: {
              useIpAliases: vpcNative,
              ...(vpcNative ? { clusterIpv4CidrBlock: clusterCidr } : {}),
              ...(ownServices ? { servicesIpv4CidrBlock: seed.serviceRange } : {}),
              additionalPodRangesConfig: {
                podRangeNames: [...poolCidrs.map((_, index) => `pool-${index}`), ...podRanges.namesOnly],
              },
            },
            ...(poolCidrs.length === 0 ? { initialNodeCount: 1 } : {}),
            nodePools: poolCidrs.map((podIpv4CidrBlock, index) => ({
              name: `pool-${index}`,
              networkConfig: { podRange: `pool-${index}`, podIpv4CidrBlock },
            })),
            autopilot: { enabled: autopilot, workloadPolicyConfig: { allowNetAdmin } },
            controlPlaneEndpointsConfig: { dnsEndpointConfig: { allowExternalTraffic: true } },
          },
        },
      );
      await settled();
      const record = api.clusters().find((cluster) => cluster.ref.name === ref.name);
      return expected(seed, record?.id ?? "");
    },
    async beginDelete(ref) {
      await operate(google, "DELETE", pathOf(ref));
    },
    missing(zones) {
      google.faults.add({ target: "gke", kind: "missingZones", zones: [...zones] as [string, ...string[]] });
    },
    overloadOnce() {
      google.faults.add({ target: "gke", kind: "status", status: 429, count: 1 });
    },
    async close() {
      await api.close();
      await google.close();
    },
  };
}

/** The stand-in finishes an instant backend's operation in the turns that follow its answer. */
function settled(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}

function expected(seed: ClusterSeed, id: string): Cluster {
  const region = seed.ref.location.replace(/-[a-z]$/, "");
  return {
    ...seed,
    id,
    status: "RUNNING",
    kubernetesVersion: "1.36.3",
    endpoints: {
      public: { kind: "public", server: `https://${ADDRESS}`, caData: CA_DATA },
      private: { kind: "private", server: `https://${ADDRESS}`, caData: CA_DATA },
      dns: {
        kind: "dns",
        server: `https://gke-${id.slice(0, 32)}-${PROJECT.number}.${region}.gke.goog`,
        allowsExternalTraffic: true,
        allowsKubernetesTokens: false,
      },
    },
  };
}

async function startFake(): Promise<LabelsWorld> {
  const directory = fakeClusterDirectory({ projects: [PROJECT.id] });
  return {
    directory,
    operations: directory,
    labels: fakeClusterLabels(directory),
    async create(seed) {
      const cluster = expected(seed, seed.ref.name.padEnd(64, "0"));
      directory.put(cluster);
      return cluster;
    },
    async beginDelete(ref) {
      const cluster = await directory.get(ref);
      if (cluster !== undefined) directory.put({ ...cluster, status: "STOPPING" });
      directory.operate(ref, "DELETE_CLUSTER");
    },
    missing: (locations) => directory.missing(locations),
    overloadOnce: () =>
      directory.failNext(new UnavailableError("too many requests; try again", { code: "ResourceExhausted" })),
    close: () => Promise.resolve(),
  };
}

describeClusterDirectory("the fake", startFake);
describeClusterDirectory("the GKE API", startWorld);
describeClusterLabels("the fake", startFake);
describeClusterLabels("the GKE API", startWorld);

describe("gkeDirectory", () => {
  it("opens nothing before it is used", () => {
    expect(() => gkeDirectory({ endpoint: "http://127.0.0.1:1" })).not.toThrow();
  });

  it.each(["refuse", "status"] as const)("sends a read again after a passing fault: %s", async (kind) => {
    const world = await startWorld();
    try {
      world.google.faults.add({
        target: "gke",
        kind,
        count: 1,
        ...(kind === "status" ? { status: 503 } : {}),
      });
      expect(await world.directory.list(PROJECT.id)).toEqual({ clusters: [], missingLocations: [] });
    } finally {
      await world.close();
    }
  });

  it("asks once per list", async () => {
    const world = await startWorld();
    try {
      await world.directory.list(PROJECT.id);
      await world.directory.list(PROJECT.id);
      expect(world.google.ledger.requests("reconciler@shop.iam.gserviceaccount.com").gke).toBe(2);
    } finally {
      await world.close();
    }
  });

  it("is cancelled while it waits for the answer", async () => {
    const world = await startWorld();
    try {
      world.google.faults.add({ target: "gke", kind: "delay", delayMs: 60_000 });
      await expect(world.directory.list(PROJECT.id, AbortSignal.timeout(500))).rejects.toMatchObject({
        code: "Cancelled",
      });
    } finally {
      await world.close();
    }
  });

  it("keeps the request, and the token in it, out of its errors", async () => {
    const world = await startWorld();
    try {
      const error: unknown = await world.directory.list("stranger").catch((reason: unknown) => reason);
      expect(error).toMatchObject({ cause: { message: expect.stringContaining("stranger") } });
      expect(JSON.stringify(error, allProperties)).not.toMatch(/ya29|authorization/i);
    } finally {
      await world.close();
    }
  });
});

describe("gkeOperations", () => {
  const ref = { project: PROJECT.id, location: "europe-west1-b", name: "one" };
  const zone = `https://container.googleapis.com/v1/projects/${PROJECT.number}/zones/europe-west1-b`;
  const operation = (status: string, targetLink: string) => ({
    operations: [{ name: "o", operationType: "UPGRADE_NODES", status, targetLink }],
  });

  it.each([
    ["PENDING", `${zone}/clusters/one`, true],
    ["ABORTING", `${zone}/clusters/one`, true],
    ["DONE", `${zone}/clusters/one`, false],
    ["RUNNING", `${zone}/clusters/one/nodePools/pool-1`, true],
    ["RUNNING", `${zone}/clusters/one-more`, false],
    ["RUNNING", `${zone}/clusters/one-more/nodePools/one`, false],
    ["RUNNING", "", true],
  ])("takes an operation that is %s, on %s, for one on the cluster: %s", async (status, target, isOn) => {
    const google = await startGoogle();
    const server = createServer((_, response) => {
      response.setHeader("content-type", "application/json");
      response.end(JSON.stringify(operation(status, target)));
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const address = server.address();
    try {
      const port = typeof address === "object" ? address?.port : 0;
      const operations = gkeOperations({ endpoint: `http://127.0.0.1:${port}` });
      expect(await operations.running(ref)).toEqual(isOn ? ["UPGRADE_NODES"] : []);
    } finally {
      server.close();
      await google.close();
    }
  });
});

/** Errors say nothing to JSON by themselves: shows all that an inspecting logger could see. */
function allProperties(_: string, value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Reflect.ownKeys(value).map((key) => [String(key), Reflect.get(value, key)]));
}

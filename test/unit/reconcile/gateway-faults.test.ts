import { afterEach, describe, expect, it, jest } from "@jest/globals";
import type { Cluster } from "../../../shared/core/cluster/cluster.ts";
import { clusterId } from "../../../shared/core/names.ts";
import { gatewayRef } from "../../../shared/istio/gateway.ts";
import { preview } from "../../../shared/preview.ts";
import { aCluster } from "../../support/builders/cluster.ts";
import { aMesh, type FakeMesh, type ProcessOptions } from "../../support/fakes/mesh.ts";
import { MANIFEST_TEMPLATE } from "../../support/fixtures/manifest-template.ts";
import { rawAddressesFromNow } from "./raw-addresses.ts";
import { realGatewaysOf, secretsOf, waitShortly } from "./world.ts";

const SPEC = { connectedNetworks: [["shop.default", "shop.dmz"]] };
const EAST = aCluster({ name: "east" });
const NORTH = aCluster({ name: "north" });
const WEST = aCluster({ name: "west", network: { project: "shop", name: "dmz" } });
const GATEWAYS = { apiVersion: "gateway.networking.k8s.io/v1", kind: "Gateway" };
const NO_GATEWAY = { mesh_id: "prod", mesh_gateway: "none" };
const FOREIGN = {
  ...GATEWAYS,
  metadata: { name: "meshjoin-eastwest", namespace: "istio-system" },
  spec: { gatewayClassName: "other" },
};

async function joined(...clusters: readonly Cluster[]): Promise<FakeMesh> {
  const mesh = await aMesh({ clusters, spec: SPEC });
  for (const cluster of clusters) await mesh.join(cluster);
  return mesh;
}

const idOf = ({ ref }: Cluster) => clusterId(ref);
const reasons = (findings: readonly { readonly reason: string }[]) => findings.map(({ reason }) => reason);

function readBy(mesh: FakeMesh, cluster: Cluster): string[] {
  return secretsOf(mesh, cluster)
    .filter(({ metadata }) => metadata.labels?.["istio/multiCluster"] === "true")
    .map(({ metadata }) => metadata.name.replace("istio-remote-secret-", ""));
}

function forget(mesh: FakeMesh, reader: Cluster, target: Cluster): void {
  const name = `istio-remote-secret-${idOf(target)}`;
  const secret = { apiVersion: "v1", kind: "Secret", namespace: "istio-system", name };
  mesh.fleet.server(reader).store.delete(secret);
}

/** A Service as a person makes one of a gateway, with an address on the internet, and a pod behind it. */
function addByHand(mesh: FakeMesh, cluster: Cluster, network: string): void {
  const { store } = mesh.fleet.server(cluster);
  const place = { namespace: "istio-system", labels: { "topology.istio.io/network": network } };
  const service = {
    apiVersion: "v1",
    kind: "Service",
    metadata: { ...place, name: "by-hand" },
    spec: { ports: [{ port: 15_443 }] },
    status: { loadBalancer: { ingress: [{ ip: "203.0.113.9" }] } },
  };
  const labels = { ...place.labels, "kubernetes.io/service-name": "by-hand" };
  const slice = {
    apiVersion: "discovery.k8s.io/v1",
    kind: "EndpointSlice",
    metadata: { ...place, name: "by-hand-x", labels },
    endpoints: [{ conditions: { ready: true } }],
  };
  for (const object of [service, slice]) store.write(object, "someone");
}

function setServing(mesh: FakeMesh, cluster: Cluster, isServing: boolean): void {
  const server = mesh.fleet.server(cluster);
  server.gateways.isServing = isServing;
  server.settleGateways();
}

afterEach(() => {
  jest.restoreAllMocks();
});

describe("a gateway that cannot be installed", () => {
  async function refusing(): Promise<FakeMesh> {
    waitShortly();
    const mesh = await joined(EAST, NORTH);
    for (const cluster of [EAST, NORTH]) mesh.fleet.server(cluster).faults.broken = ["apply Gateway"];
    mesh.add(WEST);
    await mesh.join(WEST);
    return mesh;
  }

  it("keeps no pair within a network from being made", async () => {
    const mesh = await refusing();
    forget(mesh, EAST, NORTH);
    await mesh.reconcile("mesh");
    expect(readBy(mesh, EAST)).toContain(idOf(NORTH));
  });

  it("holds up no roll-out", async () => {
    const mesh = await refusing();
    const template = { ...MANIFEST_TEMPLATE, digest: "of another build" };
    const { summary } = await mesh.reconcile("mesh", { template });
    expect(reasons(summary.findings)).not.toContain("RollOutWaits");
  });

  it("is no reason for the event of another cluster to come again", async () => {
    const mesh = await refusing();
    const { retry, summary } = await mesh.join(WEST);
    expect(retry).toBe(false);
    expect(reasons(summary.findings)).toContain("GatewayPending");
  });
});

describe("a cluster whose Gateway API is absent and may not be made", () => {
  it("is a finding with the command that lets GKE bring it, which names the cluster", async () => {
    waitShortly();
    const mesh = await joined(EAST);
    mesh.add(WEST);
    mesh.fleet.server(WEST).faults.forbidden = ["create CustomResourceDefinition"];
    const { summary } = await mesh.join(WEST);
    expect(summary.members.flatMap(({ findings }) => findings)).toContainEqual(
      expect.objectContaining({
        reason: "GatewayApiUnavailable",
        cure: expect.stringContaining(
          `gcloud container clusters update ${WEST.ref.name} --project=${WEST.ref.project} --location=${WEST.ref.location} --gateway-api=standard`,
        ),
      }),
    );
    expect([readBy(mesh, EAST), readBy(mesh, WEST)]).toEqual([[], [idOf(EAST)]]);
  });
});

describe("a gateway that fails for a moment", () => {
  it("costs no pair, also where Meshjoin would make none there now", async () => {
    waitShortly();
    const mesh = await joined(EAST, WEST);
    mesh.directory.put({ ...WEST, labels: { ...WEST.labels, mesh_gateway: "none" } });
    setServing(mesh, WEST, false);
    setTimeout(() => setServing(mesh, WEST, true), 100);
    await mesh.reconcile("mesh");
    expect(readBy(mesh, EAST)).toEqual([idOf(WEST)]);
  });
});

describe("the gateway of a cluster that a source leaves out", () => {
  const apart = aCluster({ name: "apart", network: WEST.network, location: "us-east1-b" });
  const south = aCluster({ name: "south", network: WEST.network, labels: NO_GATEWAY });

  it.each(["mesh", { clusterId: idOf(EAST) }] as const)(
    "leads to the others of its network as before, in a run about %j",
    async (scope) => {
      waitShortly();
      const mesh = await joined(EAST, apart, south);
      await mesh.reconcile("mesh");
      const before = readBy(mesh, EAST);
      expect(before).toHaveLength(2);
      const list = mesh.directory.list.bind(mesh.directory);
      jest.spyOn(mesh.directory, "list").mockImplementation(async (project, signal) => {
        const { clusters } = await list(project, signal);
        const { location } = apart.ref;
        return {
          clusters: clusters.filter(({ ref }) => ref.location !== location),
          missingLocations: [location],
        };
      });
      await mesh.reconcile(scope);
      expect(readBy(mesh, EAST)).toEqual(before);
    },
  );
});

describe("a gateway that seems to be left over", () => {
  it("stays where a member of another network has come since the look", async () => {
    const mesh = await joined(EAST, WEST);
    mesh.directory.delete(WEST.ref);
    await mesh.reconcile("mesh");
    const late = { ...WEST, ref: { ...WEST.ref, name: "south" } };
    const list = mesh.directory.list.bind(mesh.directory);
    jest.spyOn(mesh.directory, "list").mockImplementationOnce(async (project, signal) => {
      const listed = await list(project, signal);
      mesh.add(late);
      return listed;
    });
    await mesh.reconcile("mesh", { deep: true });
    expect(realGatewaysOf(mesh, EAST)).toHaveLength(1);
    await mesh.reconcile("mesh", { deep: true });
    expect(realGatewaysOf(mesh, EAST)).toHaveLength(1);
  });
});

describe("a Gateway that is not Meshjoin's", () => {
  it("is left as it is by a deep run that cannot see its Service", async () => {
    const mesh = await joined(EAST, WEST);
    const { store, faults } = mesh.fleet.server(WEST);
    store.delete({ ...GATEWAYS, name: "meshjoin-eastwest", namespace: "istio-system" });
    store.create(FOREIGN, "someone");
    faults.forbidden = ["list EndpointSlice"];
    waitShortly();
    await mesh.reconcile("mesh", { deep: true });
    expect(realGatewaysOf(mesh, WEST)).toMatchObject([{ spec: { gatewayClassName: "other" } }]);
  });
});

describe("a gateway on the internet that a person made", () => {
  it("gets none of Meshjoin's beside it that would cut off who reads the cluster through it", async () => {
    const apart = aCluster({ name: "apart", network: { project: "shop", name: "apart" } });
    const mesh = await joined(WEST);
    addByHand(mesh, WEST, "shop.dmz");
    for (const cluster of [apart, EAST]) {
      mesh.add(cluster);
      await mesh.join(cluster);
    }
    const { summary } = await mesh.reconcile("mesh");
    expect(realGatewaysOf(mesh, WEST)).toEqual([]);
    for (const reader of [apart, EAST]) expect(readBy(mesh, reader)).toEqual([idOf(WEST)]);
    expect(summary.findings).toContainEqual(
      expect.objectContaining({
        reason: "GatewayInUse",
        message: expect.stringContaining(idOf(apart)),
        cure: expect.stringContaining(`meshjoin label ${idOf(WEST)} --gateway=none`),
      }),
    );
    mesh.directory.put({ ...WEST, labels: { ...WEST.labels, mesh_gateway: "none" } });
    const after = await mesh.reconcile("mesh");
    expect(reasons(after.summary.findings)).not.toContain("GatewayInUse");
    for (const reader of [apart, EAST]) expect(readBy(mesh, reader)).toEqual([idOf(WEST)]);
  });
});

describe("a member that is no longer installed, and may not be", () => {
  it("is read by no member of another network", async () => {
    waitShortly();
    const mesh = await joined(EAST, WEST);
    const { store } = mesh.fleet.server(WEST);
    const istiod = { apiVersion: "apps/v1", kind: "Deployment", namespace: "istio-system", name: "istiod" };
    store.delete(istiod);
    store.delete({ ...GATEWAYS, name: "meshjoin-eastwest", namespace: "istio-system" });
    mesh.fleet.server(WEST).settleGateways();
    mesh.fleet.server(WEST).faults.broken = ["apply ServiceAccount", "apply Deployment"];
    await mesh.reconcile("mesh");
    expect(readBy(mesh, EAST)).toEqual([]);
  });
});

describe("a plan", () => {
  it("tells that a remote secret will be withdrawn", async () => {
    const mesh = await joined(EAST, WEST);
    setServing(mesh, WEST, false);
    const { actions } = await preview(mesh.run(), { scope: "mesh", reason: "test" });
    expect(actions.map(({ verb, clusterId: id, object }) => `${verb} ${id} ${object.name}`)).toContain(
      `delete ${idOf(EAST)} istio-remote-secret-${idOf(WEST)}`,
    );
  });
});

describe("a gateway that istiod does not list", () => {
  it("leaves its pair unfinished, though the cluster is synced", async () => {
    waitShortly();
    const mesh = await joined(EAST, WEST);
    const { store, istiod } = mesh.fleet.server(EAST);
    store.delete(gatewayRef(`meshjoin-last-${idOf(WEST)}`));
    istiod.seesNoGateway = true;
    const { summary } = await mesh.reconcile("mesh");
    expect(reasons(summary.findings)).toContain("GatewayNotListed");
    expect(summary.pairs).toContainEqual({ reader: idOf(EAST), target: idOf(WEST), outcome: "waiting" });
    istiod.seesNoGateway = false;
    expect((await mesh.reconcile("mesh")).summary.outcome).toBe("unchanged");
  });

  it.each([
    ["an address that no gateway has", "192.0.2.99", "waiting"],
    ["the address of the gateway that is up", "192.0.2.7", "unchanged"],
  ])(
    "has a stand-in in a Gateway of the reader that names %s: %s, so the pair is %s",
    async (_, address, outcome) => {
      waitShortly();
      const mesh = await joined(EAST, WEST);
      mesh.fleet.server(WEST).gateways.address = "192.0.2.7";
      mesh.fleet.server(WEST).settleGateways();
      mesh.fleet.server(EAST).store.create({
        ...GATEWAYS,
        metadata: {
          name: "by-hand",
          namespace: "istio-system",
          labels: { "topology.istio.io/network": "shop.dmz" },
        },
        spec: {
          gatewayClassName: "istio-remote",
          addresses: [{ type: "IPAddress", value: address }],
        },
      });
      mesh.fleet.server(EAST).istiod.seesNoGateway = true;
      const { summary } = await mesh.reconcile("mesh");
      expect(summary.pairs).toContainEqual({ reader: idOf(EAST), target: idOf(WEST), outcome });
      expect(reasons(summary.findings).includes("GatewayNotListed")).toBe(outcome === "waiting");
    },
  );

  it("leaves its pair unfinished where istiod lists an earlier address of it alone", async () => {
    waitShortly();
    const mesh = await joined(EAST, WEST);
    mesh.fleet.server(EAST).istiod.learnsNoGateway = true;
    mesh.fleet.server(WEST).gateways.address = "192.0.2.7";
    mesh.fleet.server(WEST).settleGateways();
    const { summary } = await mesh.reconcile("mesh");
    expect(reasons(summary.findings)).toContain("GatewayNotListed");
    expect(summary.pairs).toContainEqual({ reader: idOf(EAST), target: idOf(WEST), outcome: "waiting" });
    mesh.fleet.server(EAST).istiod.learnsNoGateway = false;
    expect((await mesh.reconcile("mesh")).summary.outcome).toBe("unchanged");
  });
});

describe("the gateway of a cluster that leaves and runs on", () => {
  async function leaving(): Promise<FakeMesh> {
    const mesh = await joined(EAST, NORTH, WEST);
    mesh.directory.put({ ...WEST, labels: {} });
    return mesh;
  }
  const leave = async (mesh: FakeMesh, process: ProcessOptions = {}) =>
    await mesh.reconcile("mesh", { leaving: [idOf(WEST)], ...process });

  it("goes, after the remote secrets of its readers", async () => {
    const mesh = await leaving();
    const seen: string[][] = [];
    await leave(mesh, {
      report: ({ step }) => {
        if (step === "removeGateway") seen.push(readBy(mesh, EAST), readBy(mesh, NORTH));
      },
    });
    expect(seen).toEqual([[idOf(NORTH)], [idOf(EAST)]]);
    expect(realGatewaysOf(mesh, WEST)).toEqual([]);
  });

  it("stays while a member keeps a remote secret of it, and goes when that is gone", async () => {
    const mesh = await leaving();
    mesh.fleet.server(EAST).faults.broken = ["delete Secret"];
    await leave(mesh);
    expect(realGatewaysOf(mesh, WEST)).toHaveLength(1);
    mesh.fleet.server(EAST).faults.broken = [];
    await leave(mesh);
    expect(realGatewaysOf(mesh, WEST)).toEqual([]);
    expect(readBy(mesh, EAST)).toEqual([idOf(NORTH)]);
  });

  it("is no reason for its tokens to live on", async () => {
    const mesh = await leaving();
    mesh.fleet.server(WEST).faults.broken = ["delete Gateway"];
    const { summary } = await leave(mesh);
    expect(summary.findings.filter(({ clusterId: id }) => id === idOf(WEST))).not.toEqual([]);
    const readers = secretsOf(mesh, WEST).filter(({ metadata }) =>
      metadata.name.startsWith("meshjoin-reader-"),
    );
    expect(readers).toEqual([]);
  });

  it.each<[string, (mesh: FakeMesh) => Promise<unknown>]>([
    [
      "in a full run",
      async (mesh) => {
        mesh.directory.put({ ...WEST, labels: {} });
        await leave(mesh);
      },
    ],
    [
      "by the event of its deletion",
      async (mesh) => {
        mesh.directory.delete(WEST.ref);
        await mesh.reconcile({ clusterId: idOf(WEST) });
      },
    ],
  ])("takes away first what readers reach through it alone, %s: no raw address", async (_, end) => {
    waitShortly();
    const south = aCluster({ name: "south", network: WEST.network, labels: NO_GATEWAY });
    const open = aCluster({ name: "open", network: WEST.network });
    const mesh = await joined(EAST, WEST, south);
    expect(readBy(mesh, EAST)).toEqual([idOf(south), idOf(WEST)]);
    const { seen: raw } = rawAddressesFromNow(mesh);
    await end(mesh);
    expect([[...raw], readBy(mesh, EAST)]).toEqual([[], []]);
    mesh.add(open);
    await mesh.join(open);
    await mesh.reconcile("mesh");
    expect([[...raw], readBy(mesh, EAST)]).toEqual([[], [idOf(open), idOf(south)]]);
  });
});

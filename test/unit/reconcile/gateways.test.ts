import { afterEach, describe, expect, it, jest } from "@jest/globals";
import type { Cluster } from "../../../shared/core/cluster/cluster.ts";
import { clusterId } from "../../../shared/core/names.ts";
import { SECOND_LOOK_MS } from "../../../shared/phases/gateways.ts";
import { preview } from "../../../shared/preview.ts";
import { aCluster } from "../../support/builders/cluster.ts";
import { aMesh, type FakeMesh } from "../../support/fakes/mesh.ts";
import { realGatewaysOf, secretsOf, versionsOf, waitShortly } from "./world.ts";

const NETWORKS = { east: "shop.default", west: "shop.dmz" };
const SPEC = { connectedNetworks: [[NETWORKS.east, NETWORKS.west]] };
const EAST = aCluster({ name: "east" });
const WEST = aCluster({ name: "west", network: { project: "shop", name: "dmz" } });

/** A mesh that the eastern cluster has joined. The western one, in another network, is new. */
async function oneOfTwo(): Promise<FakeMesh> {
  const mesh = await aMesh({ clusters: [EAST], spec: SPEC });
  await mesh.join(EAST);
  mesh.add(WEST);
  return mesh;
}

async function joined(more: readonly Cluster[] = []): Promise<FakeMesh> {
  const mesh = await aMesh({ clusters: [EAST, WEST, ...more], spec: SPEC });
  for (const cluster of mesh.clusters) await mesh.join(cluster);
  return mesh;
}

/** Cluster IDs of those that the cluster has a remote secret of. */
function readBy(mesh: FakeMesh, cluster: Cluster): string[] {
  return secretsOf(mesh, cluster)
    .filter(({ metadata }) => metadata.labels?.["istio/multiCluster"] === "true")
    .map(({ metadata }) => metadata.name.replace("istio-remote-secret-", ""));
}

const idOf = ({ ref }: Cluster) => clusterId(ref);
const GATEWAYS = { apiVersion: "gateway.networking.k8s.io/v1", kind: "Gateway" };
const reasons = (findings: readonly { readonly reason: string }[]) => findings.map(({ reason }) => reason);

afterEach(() => {
  jest.restoreAllMocks();
});

describe("members of two networks", () => {
  it("get a gateway each, the one that was there first, too, and then their pairs", async () => {
    const mesh = await oneOfTwo();
    expect(realGatewaysOf(mesh, EAST)).toEqual([]);
    const { summary, retry } = await mesh.join(WEST);
    expect([retry, summary.outcome]).toEqual([false, "created"]);
    for (const cluster of mesh.clusters) expect(realGatewaysOf(mesh, cluster)).toHaveLength(1);
    expect([readBy(mesh, EAST), readBy(mesh, WEST)]).toEqual([[idOf(WEST)], [idOf(EAST)]]);
  });

  it("ask for nothing, and get nothing written, once all is there", async () => {
    const mesh = await joined();
    await mesh.reconcile("mesh");
    const before = versionsOf(mesh);
    await mesh.reconcile("mesh", { deep: true });
    expect(versionsOf(mesh)).toEqual(before);
  });

  it("cost no more, and no time, where one is reached through the gateway of another", async () => {
    const waited = jest.spyOn(AbortSignal, "timeout");
    const labels = { mesh_id: "prod", mesh_gateway: "none" };
    const mesh = await joined([aCluster({ name: "south", network: WEST.network, labels })]);
    await mesh.reconcile("mesh");
    waited.mockClear();
    const before = mesh.servers.map(({ requests }) => requests.counts.watch);
    await mesh.reconcile("mesh");
    expect(mesh.servers.map(({ requests }) => requests.counts.watch)).toEqual(before);
    expect(waited).not.toHaveBeenCalledWith(SECOND_LOOK_MS);
  });

  it("cost two more requests each", async () => {
    const [one, two] = [
      await aMesh({ clusters: [EAST, aCluster({ name: "west" })] }),
      await aMesh({ clusters: [EAST, WEST], spec: SPEC }),
    ];
    const costs: number[] = [];
    for (const mesh of [one, two]) {
      for (const cluster of mesh.clusters) await mesh.join(cluster);
      await mesh.reconcile("mesh");
      const before = mesh.servers.map(({ requests }) => requests.total);
      await mesh.reconcile("mesh");
      costs.push(...mesh.servers.map(({ requests }, index) => requests.total - (before[index] ?? 0)));
    }
    const [east = 0, west = 0, eastApart, westApart] = costs;
    expect([eastApart, westApart]).toEqual([east + 2, west + 2]);
  });

  it("are no pair while a gateway has no address, and become one when it has", async () => {
    waitShortly();
    const mesh = await oneOfTwo();
    mesh.fleet.server(WEST).gateways.hasAddress = false;
    const { summary, retry } = await mesh.join(WEST);
    expect(retry).toBe(true);
    expect(reasons(summary.findings)).toContain("GatewayPending");
    expect([readBy(mesh, EAST), readBy(mesh, WEST)]).toEqual([[], [idOf(EAST)]]);
    mesh.fleet.server(WEST).gateways.hasAddress = true;
    mesh.fleet.server(WEST).settleGateways();
    await mesh.reconcile("mesh");
    expect(readBy(mesh, EAST)).toEqual([idOf(WEST)]);
  });

  it("lose the remote secret of one whose gateway is gone, and get it back with the gateway", async () => {
    waitShortly();
    const mesh = await joined();
    const server = mesh.fleet.server(WEST);
    server.gateways.isServing = false;
    server.settleGateways();
    const { summary } = await mesh.reconcile("mesh");
    expect(reasons(summary.findings)).toContain("GatewayLost");
    expect([readBy(mesh, EAST), readBy(mesh, WEST)]).toEqual([[], [idOf(EAST)]]);
    server.gateways.isServing = true;
    server.settleGateways();
    await mesh.reconcile("mesh");
    expect(readBy(mesh, EAST)).toEqual([idOf(WEST)]);
  });

  it("keep the remote secret of one that does not answer, whatever its gateway does", async () => {
    const mesh = await joined();
    const server = mesh.fleet.server(WEST);
    server.gateways.isServing = false;
    server.settleGateways();
    server.faults.unreachable = true;
    await mesh.reconcile("mesh");
    expect(readBy(mesh, EAST)).toEqual([idOf(WEST)]);
  });

  it("keep the remote secret of one whose gateways may not be read", async () => {
    waitShortly();
    const mesh = await joined();
    const server = mesh.fleet.server(WEST);
    server.gateways.isServing = false;
    server.settleGateways();
    server.faults.forbidden = ["list EndpointSlice"];
    await mesh.reconcile("mesh");
    expect(readBy(mesh, EAST)).toEqual([idOf(WEST)]);
  });

  it("get a deleted gateway back in the next run, and keep their pairs", async () => {
    const mesh = await joined();
    const { store } = mesh.fleet.server(WEST);
    const [gateway] = realGatewaysOf(mesh, WEST);
    store.delete({ ...GATEWAYS, name: gateway!.metadata.name, namespace: "istio-system" });
    await mesh.reconcile("mesh");
    expect(realGatewaysOf(mesh, WEST)).toHaveLength(1);
    expect(readBy(mesh, EAST)).toEqual([idOf(WEST)]);
  });

  it("leave a Gateway of the name alone that is not Meshjoin's, and are no pair with its cluster", async () => {
    const mesh = await oneOfTwo();
    const foreign = {
      ...GATEWAYS,
      metadata: { name: "meshjoin-eastwest", namespace: "istio-system" },
      spec: { gatewayClassName: "other" },
    };
    const { store } = mesh.fleet.server(WEST);
    store.create({ apiVersion: "v1", kind: "Namespace", metadata: { name: "istio-system" } }, "someone");
    store.create(foreign, "someone");
    waitShortly();
    await mesh.join(WEST);
    expect(realGatewaysOf(mesh, WEST)).toMatchObject([{ spec: { gatewayClassName: "other" } }]);
    expect(readBy(mesh, EAST)).toEqual([]);
  });

  it("have no gateway any more once one network is left and no remote secret needs it", async () => {
    const mesh = await joined([aCluster({ name: "north" })]);
    mesh.directory.delete(WEST.ref);
    await mesh.reconcile("mesh", { deep: true });
    await mesh.reconcile("mesh", { deep: true });
    expect(realGatewaysOf(mesh, EAST)).toEqual([]);
  });

  it("keep their gateways while a source is silent", async () => {
    const mesh = await joined([aCluster({ name: "north" })]);
    mesh.directory.delete(WEST.ref);
    mesh.directory.missing(["us-east1-b"]);
    await mesh.reconcile("mesh", { deep: true });
    await mesh.reconcile("mesh", { deep: true });
    expect(realGatewaysOf(mesh, EAST)).toHaveLength(1);
  });

  it("show in a plan what a run will do", async () => {
    const mesh = await oneOfTwo();
    const plan = await preview(mesh.run(), { scope: { clusterId: idOf(WEST) }, reason: "test" });
    const made = plan.actions.map(({ clusterId: id, object }) => `${id} ${object.kind} ${object.name}`);
    for (const cluster of mesh.clusters) expect(made).toContain(`${idOf(cluster)} Gateway meshjoin-eastwest`);
    expect(made).toContain(`${idOf(EAST)} Secret istio-remote-secret-${idOf(WEST)}`);
  });
});

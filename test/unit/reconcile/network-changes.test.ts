import { afterEach, describe, expect, it, jest } from "@jest/globals";
import type { Cluster } from "../../../shared/core/cluster/cluster.ts";
import { clusterId } from "../../../shared/core/names.ts";
import { gatewayRef } from "../../../shared/istio/gateway.ts";
import { collectStatus } from "../../../shared/status.ts";
import { aCluster } from "../../support/builders/cluster.ts";
import { ProcessDeath, processFaults } from "../../support/fakes/member-api/faults.ts";
import { aMesh, type FakeMesh } from "../../support/fakes/mesh.ts";
import { rawAddresses, rawAddressesFromNow, readBy } from "./raw-addresses.ts";
import { realGatewaysOf, versionsOf, waitShortly } from "./world.ts";

const SPEC = { connectedNetworks: [["shop.default", "shop.dmz", "edge"]] };
/** Changes from shop.default to edge. */
const MOVER = aCluster({ name: "mover" });
const NEAR = aCluster({ name: "near" });
const FAR = aCluster({ name: "far", network: { project: "shop", name: "dmz" } });
const THERE = aCluster({
  name: "there",
  network: { project: "shop", name: "dmz" },
  labels: { mesh_id: "prod", mesh_network: "edge" },
});
const FIRST = "meshjoin-eastwest";
const SECOND = "meshjoin-eastwest-b";
const CONFIRMED = { confirm: ["NetworkChanges"] };

const idOf = ({ ref }: Cluster) => clusterId(ref);
const reasons = (findings: readonly { readonly reason: string }[]) => findings.map(({ reason }) => reason);
type Summary = Awaited<ReturnType<FakeMesh["reconcile"]>>["summary"];
const allOf = ({ members, findings }: Summary) => [...members.flatMap((each) => each.findings), ...findings];

async function joined(clusters: readonly Cluster[], spec: object = SPEC): Promise<FakeMesh> {
  const mesh = await aMesh({ clusters, spec });
  for (const cluster of clusters) await mesh.join(cluster);
  for (const cluster of clusters) addPod(mesh, cluster, "old");
  return mesh;
}

function label(mesh: FakeMesh, labels: Readonly<Record<string, string>>, cluster = MOVER): void {
  mesh.directory.put({ ...cluster, labels: { ...cluster.labels, ...labels } });
}

/** A pod as istiod's injector makes one now: with the label of the network that istiod is in. */
function addPod(mesh: FakeMesh, cluster: Cluster, name: string): void {
  const { store } = mesh.fleet.server(cluster);
  const network = networksOf(mesh, cluster).istiod ?? "";
  store.write(
    {
      apiVersion: "v1",
      kind: "Pod",
      metadata: {
        name: `web-5d9-${name}`,
        namespace: "shop",
        labels: { "topology.istio.io/network": network, "pod-template-hash": "5d9" },
        ownerReferences: [{ kind: "ReplicaSet", name: "web-5d9" }],
      },
      status: { phase: "Running" },
    },
    "kubelet",
  );
}

function restart(mesh: FakeMesh, cluster: Cluster): void {
  const { store } = mesh.fleet.server(cluster);
  store.delete({ apiVersion: "v1", kind: "Pod", namespace: "shop", name: "web-5d9-old" });
  addPod(mesh, cluster, "new");
}

function networksOf(mesh: FakeMesh, cluster: Cluster) {
  const { store } = mesh.fleet.server(cluster);
  const namespace = store.get({ apiVersion: "v1", kind: "Namespace", name: "istio-system" });
  const ref = { apiVersion: "apps/v1", kind: "Deployment", namespace: "istio-system", name: "istiod" };
  return {
    namespace: namespace?.metadata.labels?.["topology.istio.io/network"],
    istiod: store.get(ref)?.metadata.annotations?.["meshjoin.dev/network"],
  };
}

const notesOf = (mesh: FakeMesh, cluster: Cluster) =>
  Object.keys(
    mesh.fleet.server(cluster).store.get({ apiVersion: "v1", kind: "Namespace", name: "istio-system" })
      ?.metadata.annotations ?? {},
  );

function gatewaysOf(mesh: FakeMesh, cluster: Cluster): string[] {
  return realGatewaysOf(mesh, cluster).map(
    ({ metadata }) => `${metadata.name} of ${metadata.labels?.["topology.istio.io/network"]}`,
  );
}

/** Runs until a run changes nothing; restarts the mover's workloads when they are to be. */
async function finish(mesh: FakeMesh, { restarts = true } = {}): Promise<void> {
  for (let runs = 0; runs < 8; runs += 1) {
    const before = versionsOf(mesh);
    mesh.clock.advance(mesh.spec.gatewaySettle);
    // oxlint-disable-next-line no-await-in-loop -- one run after the other
    const { summary } = await mesh.reconcile("mesh");
    const isDue = reasons(allOf(summary)).includes("PodsInFormerNetwork");
    const { istiod, namespace } = networksOf(mesh, MOVER);
    if (restarts && isDue && istiod === namespace) restart(mesh, MOVER);
    else if (JSON.stringify(versionsOf(mesh)) === JSON.stringify(before)) return;
  }
  throw new Error("the change does not come to an end");
}

const everyPair = (mesh: FakeMesh) =>
  mesh.clusters.map((cluster) => readBy(mesh, cluster).length === mesh.clusters.length - 1);

afterEach(() => {
  jest.restoreAllMocks();
});

describe("a label that names another network", () => {
  it("is not followed before a person confirms it; the finding has the command", async () => {
    const mesh = await joined([MOVER, NEAR, FAR]);
    const before = versionsOf(mesh);
    label(mesh, { mesh_network: "edge" });
    const { summary } = await mesh.reconcile("mesh");
    expect(versionsOf(mesh)).toEqual(before);
    expect(allOf(summary)).toContainEqual(
      expect.objectContaining({
        reason: "NetworkChanges",
        clusterId: idOf(MOVER),
        cure: expect.stringContaining("meshjoin sync --confirm NetworkChanges"),
      }),
    );
  });

  it.each<[string, readonly Cluster[]]>([
    ["its own network alone", [MOVER, NEAR]],
    ["its own and a third network", [MOVER, NEAR, FAR]],
    ["the network that it comes to", [MOVER, THERE]],
    ["all kinds of networks", [MOVER, NEAR, FAR, THERE]],
    ["a third network alone", [MOVER, FAR]],
  ])(
    "once confirmed is followed to the end, with peers in %s: no raw address, no pair lost",
    async (_, clusters) => {
      const mesh = await joined(clusters);
      const { seen: raw } = rawAddressesFromNow(mesh);
      const lost = pairsLostFromNow(mesh);
      label(mesh, { mesh_network: "edge" });
      await mesh.reconcile("mesh", CONFIRMED);
      await finish(mesh);
      await mesh.reconcile("mesh", { deep: true });
      expect(networksOf(mesh, MOVER)).toEqual({ namespace: "edge", istiod: "edge" });
      expect([[...raw], [...lost]]).toEqual([[], []]);
      expect(everyPair(mesh)).not.toContain(false);
      const isAlone = clusters.every((each) => each === MOVER || each === THERE);
      expect(gatewaysOf(mesh, MOVER)).toEqual(
        isAlone
          ? []
          : [clusters.length === 2 && clusters[1] === NEAR ? `${FIRST} of edge` : `${SECOND} of edge`],
      );
      expect(notesOf(mesh, MOVER)).toEqual([]);
      const settled = versionsOf(mesh);
      expect((await mesh.reconcile("mesh", { deep: true })).summary).toMatchObject({
        outcome: "unchanged",
        findings: [],
      });
      expect(versionsOf(mesh)).toEqual(settled);
    },
  );

  it("comes back the same way, also before the workloads were restarted", async () => {
    const mesh = await joined([MOVER, NEAR, FAR]);
    label(mesh, { mesh_network: "edge" });
    await mesh.reconcile("mesh", CONFIRMED);
    await finish(mesh, { restarts: false });
    const { seen: raw } = rawAddressesFromNow(mesh);
    label(mesh, {});
    const settled = versionsOf(mesh);
    await mesh.reconcile("mesh");
    expect(versionsOf(mesh)).toEqual(settled);
    await mesh.reconcile("mesh", CONFIRMED);
    await finish(mesh, { restarts: false });
    expect(networksOf(mesh, MOVER)).toEqual({ namespace: "shop.default", istiod: "shop.default" });
    expect([[...raw], gatewaysOf(mesh, MOVER), notesOf(mesh, MOVER)]).toEqual([
      [],
      [`${FIRST} of shop.default`],
      [],
    ]);
  });

  it("set back before istiod followed keeps its gateway in the events of other members", async () => {
    const mesh = await joined([MOVER, NEAR, FAR]);
    label(mesh, { mesh_network: "edge" });
    await mesh.reconcile("mesh", CONFIRMED);
    expect(networksOf(mesh, MOVER)).toEqual({ namespace: "edge", istiod: "shop.default" });
    label(mesh, {});
    const { seen: raw } = rawAddressesFromNow(mesh);
    await mesh.join(NEAR);
    expect([gatewaysOf(mesh, MOVER), [...raw]]).toEqual([
      [`${FIRST} of shop.default`, `${SECOND} of edge`],
      [],
    ]);
  });

  it("counts the pods of the former network, whose gateway stays for them", async () => {
    const mesh = await joined([MOVER, NEAR, FAR]);
    addPod(mesh, MOVER, "other");
    label(mesh, { mesh_network: "edge" });
    await mesh.reconcile("mesh", CONFIRMED);
    await mesh.reconcile("mesh");
    await mesh.reconcile("mesh");
    const { summary } = await mesh.reconcile("mesh");
    expect(allOf(summary)).toContainEqual(
      expect.objectContaining({
        reason: "PodsInFormerNetwork",
        message: expect.stringMatching(/^2 pods of 1 workload are still in network shop\.default/),
        cure: expect.stringMatching(/-n shop rollout restart deployment\/web$/),
      }),
    );
    expect(gatewaysOf(mesh, MOVER)).toEqual([`${FIRST} of shop.default`, `${SECOND} of edge`]);
    const status = await collectStatus(mesh.run());
    expect(reasons(status.members.flatMap(({ findings }) => findings))).toContain("PodsInFormerNetwork");
  });

  it.each<[string, Readonly<Record<string, string>>]>([
    ["former-network", { "meshjoin.dev/former-network": "%%" }],
    ["network", { "meshjoin.dev/network": "%%" }],
  ])("keeps the former gateway, and mends the note, where a person has edited %s", async (_, edit) => {
    const mesh = await joined([MOVER, FAR]);
    label(mesh, { mesh_network: "edge" });
    await mesh.reconcile("mesh", CONFIRMED);
    await finish(mesh, { restarts: false });
    const { store } = mesh.fleet.server(MOVER);
    const namespace = store.get({ apiVersion: "v1", kind: "Namespace", name: "istio-system" })!;
    const annotations = { ...namespace.metadata.annotations, ...edit };
    store.write({ ...namespace, metadata: { ...namespace.metadata, annotations } }, "someone");
    await mesh.reconcile("mesh");
    expect(gatewaysOf(mesh, MOVER)).toEqual([`${FIRST} of shop.default`, `${SECOND} of edge`]);
    const mended = store.get({ apiVersion: "v1", kind: "Namespace", name: "istio-system" });
    expect(mended?.metadata.annotations).toEqual(namespace.metadata.annotations);
    await finish(mesh);
    expect([gatewaysOf(mesh, MOVER), notesOf(mesh, MOVER)]).toEqual([[`${SECOND} of edge`], []]);
  });

  it("gets the former gateway back that a person has deleted, while pods need it", async () => {
    const mesh = await joined([MOVER, FAR]);
    label(mesh, { mesh_network: "edge" });
    await mesh.reconcile("mesh", CONFIRMED);
    await finish(mesh, { restarts: false });
    mesh.fleet.server(MOVER).store.delete(gatewayRef(FIRST));
    await mesh.reconcile("mesh");
    expect(gatewaysOf(mesh, MOVER)).toEqual([`${FIRST} of shop.default`, `${SECOND} of edge`]);
    expect(everyPair(mesh)).toEqual([true, true]);
    await finish(mesh);
    expect(gatewaysOf(mesh, MOVER)).toEqual([`${SECOND} of edge`]);
  });

  it("keeps the former gateway while the pods may not be listed", async () => {
    const mesh = await joined([MOVER, NEAR, FAR]);
    label(mesh, { mesh_network: "edge" });
    await mesh.reconcile("mesh", CONFIRMED);
    await mesh.reconcile("mesh");
    restart(mesh, MOVER);
    mesh.fleet.server(MOVER).faults.forbidden = ["list Pod"];
    await mesh.reconcile("mesh");
    expect(gatewaysOf(mesh, MOVER)).toHaveLength(2);
    mesh.fleet.server(MOVER).faults.forbidden = [];
    await finish(mesh);
    expect(gatewaysOf(mesh, MOVER)).toEqual([`${SECOND} of edge`]);
  });

  it("set back before the network was changed leaves nothing behind", async () => {
    waitShortly();
    const mesh = await joined([MOVER, NEAR, FAR]);
    mesh.fleet.server(MOVER).gateways.withoutAddress.add(SECOND);
    label(mesh, { mesh_network: "edge" });
    await mesh.reconcile("mesh", CONFIRMED);
    expect([networksOf(mesh, MOVER).namespace, gatewaysOf(mesh, MOVER)]).toEqual([
      "shop.default",
      [`${FIRST} of shop.default`, `${SECOND} of edge`],
    ]);
    label(mesh, {});
    await finish(mesh);
    expect([gatewaysOf(mesh, MOVER), notesOf(mesh, MOVER)]).toEqual([[`${FIRST} of shop.default`], []]);
  });

  it.each<[string, Partial<Cluster["labels"]>, object, string]>([
    [
      "whose networks are not connected",
      {},
      { connectedNetworks: [["shop.default", "shop.dmz"]] },
      "MESHJOIN_CONNECTED_NETWORKS=edge+shop.default+shop.dmz",
    ],
    ["that no gateway would lead to", { mesh_gateway: "none" }, SPEC, "mesh_gateway is none"],
    ["where gateways are off", {}, { ...SPEC, gateways: "never" }, "MESHJOIN_GATEWAYS=auto"],
  ])("is refused, and not begun, for a cluster %s", async (_, labels, spec, cure) => {
    const mesh = await joined([MOVER, NEAR], spec);
    const before = versionsOf(mesh);
    label(mesh, { ...labels, mesh_network: "edge" });
    const { summary } = await mesh.reconcile("mesh", CONFIRMED);
    expect(versionsOf(mesh)).toEqual(before);
    expect(allOf(summary)).toContainEqual(
      expect.objectContaining({ reason: "NetworkChanges", cure: expect.stringContaining(cure) }),
    );
  });

  it.each<[string, (mesh: FakeMesh, on: boolean) => void]>([
    ["a peer does not answer", (mesh, on) => (mesh.fleet.server(NEAR).faults.unreachable = on)],
    [
      "istiod of a peer does not list the new gateway",
      (mesh, on) => (mesh.fleet.server(NEAR).istiod.seesNoGateway = on),
    ],
    [
      "the gateway of a peer has no address",
      (mesh, on) => {
        const server = mesh.fleet.server(NEAR);
        if (on) server.gateways.withoutAddress.add(FIRST);
        else server.gateways.withoutAddress.clear();
        server.settleGateways();
      },
    ],
    ["a source is silent", (mesh, on) => mesh.directory.missing(on ? ["us-east1-b"] : [])],
  ])("waits while %s, and goes on without another confirmation", async (_, set) => {
    waitShortly();
    const mesh = await joined([MOVER, NEAR]);
    const { seen: raw } = rawAddressesFromNow(mesh);
    label(mesh, { mesh_network: "edge" });
    set(mesh, true);
    await mesh.reconcile("mesh", CONFIRMED);
    const { summary } = await mesh.reconcile("mesh");
    expect(networksOf(mesh, MOVER).namespace).toBe("shop.default");
    expect(allOf(summary)).toContainEqual(
      expect.objectContaining({ reason: "NetworkChanges", message: expect.stringMatching(/waits/) }),
    );
    set(mesh, false);
    await finish(mesh);
    expect([networksOf(mesh, MOVER).namespace, [...raw]]).toEqual(["edge", []]);
  });

  it("comes to an end for a cluster without a gateway, whose new network has that of another", async () => {
    waitShortly();
    const mesh = await joined([MOVER, FAR, THERE]);
    const { seen: raw } = rawAddressesFromNow(mesh);
    label(mesh, { mesh_network: "edge", mesh_gateway: "none" });
    mesh.fleet.server(FAR).istiod.seesNoGateway = true;
    await mesh.reconcile("mesh", CONFIRMED);
    expect(networksOf(mesh, MOVER).namespace).toBe("shop.default");
    mesh.fleet.server(FAR).istiod.seesNoGateway = false;
    await finish(mesh);
    expect([networksOf(mesh, MOVER).namespace, gatewaysOf(mesh, MOVER)]).toEqual(["edge", []]);
    expect([[...raw], everyPair(mesh)]).toEqual([[], [true, true, true]]);
  });

  it("waits until its own istiods list the gateway of a peer's former network, too", async () => {
    waitShortly();
    const mover = aCluster({ name: "mover", labels: { mesh_id: "prod", mesh_network: "pods" } });
    const peer = aCluster({ name: "peer", labels: { mesh_id: "prod", mesh_network: "pods" } });
    const mesh = await joined([mover, peer], { connectedNetworks: [["pods", "edge"]] });
    label(mesh, { mesh_network: "edge" }, peer);
    await mesh.reconcile("mesh", CONFIRMED);
    await mesh.reconcile("mesh");
    await mesh.reconcile("mesh");
    expect(networksOf(mesh, peer)).toEqual({ namespace: "edge", istiod: "edge" });
    mesh.fleet.server(mover).istiod.seesNoGateway = true;
    label(mesh, { mesh_network: "edge" }, mover);
    await mesh.reconcile("mesh", CONFIRMED);
    mesh.clock.advance(mesh.spec.gatewaySettle);
    await mesh.reconcile("mesh");
    expect(networksOf(mesh, mover).namespace).toBe("pods");
    mesh.fleet.server(mover).istiod.seesNoGateway = false;
    await mesh.reconcile("mesh");
    expect(networksOf(mesh, mover).namespace).toBe("edge");
  });
});

describe("a change of network that dies", () => {
  const start = async () => {
    const mesh = await joined([MOVER, NEAR, FAR]);
    label(mesh, { mesh_network: "edge" });
    return mesh;
  };

  it("after any write is finished by the runs after it, with no raw address on the way", async () => {
    const undisturbed = await start();
    const counted = processFaults();
    await undisturbed.reconcile("mesh", { ...CONFIRMED, faults: counted });
    expect(counted.writes).toBeGreaterThan(5);
    for (let k = 1; k <= counted.writes; k += 1) {
      const mesh = await start();
      const { seen: raw } = rawAddressesFromNow(mesh);
      const lost = pairsLostFromNow(mesh);
      const faults = processFaults();
      faults.onWrite(k, "dieAfter");
      await expect(mesh.reconcile("mesh", { ...CONFIRMED, faults })).rejects.toThrow(ProcessDeath);
      await finish(mesh);
      expect({
        k,
        ...networksOf(mesh, MOVER),
        gateways: gatewaysOf(mesh, MOVER),
        raw: [...raw],
        lost: [...lost],
      }).toEqual({
        k,
        namespace: "edge",
        istiod: "edge",
        gateways: [`${SECOND} of edge`],
        raw: [],
        lost: [],
      });
    }
  });
});

/** Remote secrets that went at any time from now on. */
function pairsLostFromNow(mesh: FakeMesh): ReadonlySet<string> {
  const lost = new Set<string>();
  const look = (reader: Cluster) => () => {
    for (const target of mesh.clusters)
      if (target !== reader && !readBy(mesh, reader).includes(idOf(target)))
        lost.add(`${reader.ref.name} ${target.ref.name}`);
  };
  for (const cluster of mesh.clusters) mesh.fleet.server(cluster).store.onChange(look(cluster));
  return lost;
}

describe("a member that does not answer", () => {
  it("counts in the network that it was seen in last, whatever its label says", async () => {
    const mesh = await joined([MOVER, NEAR]);
    label(mesh, { mesh_network: "edge" });
    mesh.fleet.server(MOVER).faults.unreachable = true;
    await mesh.reconcile("mesh");
    expect(gatewaysOf(mesh, NEAR)).toEqual([]);
    const { members } = await collectStatus(mesh.run());
    expect(members.find(({ clusterId: id }) => id === idOf(MOVER))?.network.name).toBe("shop.default");
  });
});

describe("a member that has lost its label", () => {
  it("is a way to the others of its network during its grace", async () => {
    waitShortly();
    const sibling = aCluster({
      name: "sibling",
      network: FAR.network,
      labels: { mesh_id: "prod", mesh_gateway: "none" },
    });
    const mesh = await joined([NEAR, FAR, sibling]);
    await mesh.reconcile("mesh");
    expect(readBy(mesh, NEAR)).toEqual([idOf(FAR), idOf(sibling)]);
    mesh.directory.put({ ...FAR, labels: {} });
    await mesh.reconcile("mesh");
    expect(readBy(mesh, NEAR)).toEqual([idOf(FAR), idOf(sibling)]);
    expect(rawAddresses(mesh)).toEqual([]);
  });
});

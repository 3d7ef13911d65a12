import { afterEach, describe, expect, it, jest } from "@jest/globals";
import { applyGateway } from "../../../shared/apply/gateway.ts";
import type { Cluster } from "../../../shared/core/cluster/cluster.ts";
import { clusterId } from "../../../shared/core/names.ts";
import { gatewayStates } from "../../../shared/istio/gateway.ts";
import { collectStatus } from "../../../shared/status.ts";
import { aCluster } from "../../support/builders/cluster.ts";
import { aMesh, type FakeMesh, type ProcessOptions } from "../../support/fakes/mesh.ts";
import { inLockstep, realGatewaysOf, secretsOf, versionsOf, waitShortly } from "./world.ts";

/** Without a time to wait: what a run does by the state of the gateways alone. */
const SPEC = { connectedNetworks: [["shop.default", "shop.dmz"]], gatewaySettle: 0 };
/** Seconds. */
const SETTLE = 60;
const EAST = aCluster({ name: "east" });
const WEST = aCluster({ name: "west", network: { project: "shop", name: "dmz" } });
const APART = aCluster({ name: "apart", network: { project: "shop", name: "apart" } });
const FIRST = "meshjoin-eastwest";
const SECOND = "meshjoin-eastwest-b";

/** East reads west, which should have another gateway; with the time to wait that is the default. */
async function changing(): Promise<FakeMesh> {
  waitShortly();
  const mesh = await aMesh({ clusters: [EAST, WEST], spec: { ...SPEC, gatewaySettle: SETTLE } });
  for (const cluster of mesh.clusters) await mesh.join(cluster);
  label(mesh, WEST, { mesh_gateway: "external" });
  return mesh;
}

async function joined(...clusters: readonly Cluster[]): Promise<FakeMesh> {
  const mesh = await aMesh({ clusters, spec: SPEC });
  for (const cluster of clusters) await mesh.join(cluster);
  return mesh;
}

const idOf = ({ ref }: Cluster) => clusterId(ref);
const reasons = (findings: readonly { readonly reason: string }[]) => findings.map(({ reason }) => reason);

function gatewaysOf(mesh: FakeMesh, cluster: Cluster): string[] {
  return realGatewaysOf(mesh, cluster).map(({ metadata }) => metadata.name);
}

function readBy(mesh: FakeMesh, cluster: Cluster): string[] {
  return secretsOf(mesh, cluster)
    .filter(({ metadata }) => metadata.labels?.["istio/multiCluster"] === "true")
    .map(({ metadata }) => metadata.name.replace("istio-remote-secret-", ""));
}

function addressOf(mesh: FakeMesh, cluster: Cluster, gateway: string): string | undefined {
  const services = mesh.fleet.server(cluster).store.list({ apiVersion: "v1", kind: "Service" });
  return gatewayStates(services, []).find((each) => each.gateway === gateway)?.addresses[0];
}

/** Addresses of gateways in other clusters that the cluster's istiod knows. */
async function knownIn(mesh: FakeMesh, cluster: Cluster): Promise<string[]> {
  const { reader, istiod } = mesh.fleet.process().member(cluster);
  const query = { apiVersion: "v1", kind: "Pod", namespace: "istio-system", labelSelector: "app=istiod" };
  const [pod] = await reader.list(query);
  const known = await istiod.open(pod?.metadata.name ?? "").networkGateways();
  return known.flatMap(({ clusterId: id, address }) => (id === idOf(cluster) ? [] : [address]));
}

/** Labels the cluster, and answers it as it is then. */
function label(mesh: FakeMesh, cluster: Cluster, labels: Readonly<Record<string, string>>): Cluster {
  const labelled = { ...cluster, labels: { ...cluster.labels, ...labels } };
  mesh.directory.put(labelled);
  return labelled;
}

/** Which gateways were there, and who read the cluster, after every change of the cluster's gateways. */
function historyOf(mesh: FakeMesh, cluster: Cluster, reader: Cluster): string[] {
  const seen: string[] = [];
  const look = () => {
    const now = `${gatewaysOf(mesh, cluster).join("+")} ${readBy(mesh, reader).includes(idOf(cluster)) ? "read" : "not read"}`;
    if (seen.at(-1) !== now) seen.push(now);
  };
  look();
  for (const each of [cluster, reader]) mesh.fleet.server(each).store.onChange(look);
  return seen;
}

afterEach(() => {
  jest.restoreAllMocks();
});

describe("a gateway that should have another exposure", () => {
  it("is replaced by a second one, and goes when that one is known; the pair stays all the time", async () => {
    const mesh = await joined(EAST, WEST);
    const history = historyOf(mesh, WEST, EAST);
    label(mesh, WEST, { mesh_gateway: "external" });
    await mesh.reconcile("mesh");
    await mesh.reconcile("mesh");
    expect(history).toEqual([`${FIRST} read`, `${FIRST}+${SECOND} read`, `${SECOND} read`]);
    label(mesh, WEST, { mesh_gateway: "internal" });
    await mesh.reconcile("mesh");
    await mesh.reconcile("mesh");
    expect(history.slice(3)).toEqual([`${FIRST}+${SECOND} read`, `${FIRST} read`]);
    // The readers hold its address again.
    await mesh.reconcile("mesh");
    const before = versionsOf(mesh);
    await mesh.reconcile("mesh", { deep: true });
    expect(versionsOf(mesh)).toEqual(before);
  });

  it("stays while the second one has no address, and goes when it has", async () => {
    waitShortly();
    const mesh = await joined(EAST, WEST);
    const server = mesh.fleet.server(WEST);
    label(mesh, WEST, { mesh_gateway: "external" });
    server.gateways.withoutAddress.add(SECOND);
    const { summary } = await mesh.reconcile("mesh");
    expect(reasons(summary.findings)).toContain("GatewayPending");
    expect([gatewaysOf(mesh, WEST), readBy(mesh, EAST)]).toEqual([[FIRST, SECOND], [idOf(WEST)]]);
    server.gateways.withoutAddress.clear();
    server.settleGateways();
    await mesh.reconcile("mesh");
    await mesh.reconcile("mesh");
    expect(gatewaysOf(mesh, WEST)).toEqual([SECOND]);
  });

  it("is the only one that istiods know until the second one is up, and then until it goes", async () => {
    waitShortly();
    const mesh = await joined(EAST, WEST);
    const server = mesh.fleet.server(WEST);
    label(mesh, WEST, { mesh_gateway: "external" });
    server.gateways.notServing.add(SECOND);
    await mesh.reconcile("mesh");
    expect(gatewaysOf(mesh, WEST)).toEqual([FIRST, SECOND]);
    expect(await knownIn(mesh, EAST)).toEqual([addressOf(mesh, WEST, FIRST)]);
    server.gateways.notServing.clear();
    server.settleGateways();
    await mesh.reconcile("mesh");
    expect(gatewaysOf(mesh, WEST)).toEqual([FIRST, SECOND]);
    expect(await knownIn(mesh, EAST)).toEqual([addressOf(mesh, WEST, SECOND)]);
    await mesh.reconcile("mesh");
    expect(gatewaysOf(mesh, WEST)).toEqual([SECOND]);
  });

  it("stays known, or the second one, if two runs at once have seen different labels", async () => {
    waitShortly();
    const mesh = await joined(EAST, WEST);
    const external = label(mesh, WEST, { mesh_gateway: "external" });
    mesh.fleet.server(EAST).istiod.seesNoGateway = true;
    await mesh.reconcile("mesh");
    mesh.fleet.server(EAST).istiod.seesNoGateway = false;
    expect(await knownIn(mesh, EAST)).toHaveLength(2);
    inLockstep(mesh);
    const first = mesh.reconcile("mesh");
    label(mesh, external, { mesh_gateway: "internal" });
    await Promise.all([first, mesh.reconcile("mesh")]);
    expect(await knownIn(mesh, EAST)).not.toEqual([]);
    expect(gatewaysOf(mesh, WEST)).toHaveLength(2);
    for (const { faults } of mesh.servers) faults.slowMs = 0;
    await mesh.reconcile("mesh");
    await mesh.reconcile("mesh");
    expect([gatewaysOf(mesh, WEST), readBy(mesh, EAST)]).toEqual([[FIRST], [idOf(WEST)]]);
  });

  it("is hidden, and goes, also where a person has taken the rights on Gateways away", async () => {
    const mesh = await joined(EAST, WEST);
    const { store, faults } = mesh.fleet.server(WEST);
    const binding = { apiVersion: "rbac.authorization.k8s.io/v1", kind: "ClusterRoleBinding" };
    const takeAway = () => {
      for (const { metadata } of store.list(binding))
        if (metadata.name.startsWith("meshjoin-")) store.delete({ ...binding, name: metadata.name });
      faults.forbidden = [FIRST, SECOND].map((name) => `get Gateway ${name}` as const);
    };
    store.onChange(() => {
      if (store.list(binding).some(({ metadata }) => metadata.name.startsWith("meshjoin-")))
        faults.forbidden = [];
    });
    mesh.fleet.server(EAST).istiod.seesNoGateway = true;
    waitShortly();
    label(mesh, WEST, { mesh_gateway: "external" });
    await mesh.reconcile("mesh");
    mesh.fleet.server(EAST).istiod.seesNoGateway = false;
    takeAway();
    expect(faults.forbidden).not.toEqual([]);
    await mesh.reconcile("mesh");
    expect(await knownIn(mesh, EAST)).toEqual([addressOf(mesh, WEST, SECOND)]);
    takeAway();
    await mesh.reconcile("mesh");
    expect(gatewaysOf(mesh, WEST)).toEqual([SECOND]);
  });

  it("leaves the second one known that a slower run would make, and hide, only now", async () => {
    const mesh = await joined(EAST, WEST);
    label(mesh, WEST, { mesh_gateway: "external" });
    await mesh.reconcile("mesh");
    const late = { gateway: SECOND, network: "shop.dmz", exposure: "external", isHidden: true } as const;
    const { spec, signal } = mesh.run();
    const place = { api: mesh.fleet.process().member(WEST), ref: WEST.ref };
    await applyGateway(place, late, spec, signal);
    expect(await knownIn(mesh, EAST)).toEqual([addressOf(mesh, WEST, SECOND)]);
  });

  it("does not come back in a deep run that may not read which gateways there are", async () => {
    waitShortly();
    const mesh = await joined(EAST, WEST);
    label(mesh, WEST, { mesh_gateway: "external" });
    await mesh.reconcile("mesh");
    await mesh.reconcile("mesh");
    expect(gatewaysOf(mesh, WEST)).toEqual([SECOND]);
    mesh.fleet.server(WEST).faults.forbidden = ["list EndpointSlice"];
    await mesh.reconcile("mesh", { deep: true });
    expect(gatewaysOf(mesh, WEST)).toEqual([SECOND]);
    expect(await knownIn(mesh, EAST)).toEqual([addressOf(mesh, WEST, SECOND)]);
  });

  it("stays while an istiod goes on listing it", async () => {
    waitShortly();
    const mesh = await joined(EAST, WEST);
    label(mesh, WEST, { mesh_gateway: "external" });
    await mesh.reconcile("mesh");
    const { istiod } = mesh.fleet.server(EAST);
    istiod.keepsGateways = true;
    await mesh.reconcile("mesh");
    expect(gatewaysOf(mesh, WEST)).toEqual([FIRST, SECOND]);
    istiod.keepsGateways = false;
    await mesh.reconcile("mesh");
    expect(gatewaysOf(mesh, WEST)).toEqual([SECOND]);
  });

  it.each<[string, (mesh: FakeMesh) => void, (mesh: FakeMesh) => void]>([
    [
      "does not list the second one",
      (mesh) => (mesh.fleet.server(EAST).istiod.seesNoGateway = true),
      (mesh) => (mesh.fleet.server(EAST).istiod.seesNoGateway = false),
    ],
    [
      "does not answer",
      (mesh) => (mesh.fleet.server(EAST).faults.unreachable = true),
      (mesh) => (mesh.fleet.server(EAST).faults.unreachable = false),
    ],
  ])("stays while a reader %s", async (_, spoil, mend) => {
    waitShortly();
    const mesh = await joined(EAST, WEST);
    label(mesh, WEST, { mesh_gateway: "external" });
    spoil(mesh);
    await mesh.reconcile("mesh");
    expect(gatewaysOf(mesh, WEST)).toEqual([FIRST, SECOND]);
    mend(mesh);
    await mesh.reconcile("mesh");
    await mesh.reconcile("mesh");
    expect([gatewaysOf(mesh, WEST), readBy(mesh, EAST)]).toEqual([[SECOND], [idOf(WEST)]]);
  });

  it("stays for a reader that the other exposure cuts off, until a person ends that pair", async () => {
    const mesh = await aMesh({
      clusters: [EAST, WEST, APART],
      spec: { ...SPEC, gatewayExposure: "external" },
    });
    for (const cluster of mesh.clusters) await mesh.join(cluster);
    label(mesh, WEST, { mesh_gateway: "internal" });
    const { summary } = await mesh.reconcile("mesh");
    expect(reasons(summary.findings)).toContain("GatewayInUse");
    expect([gatewaysOf(mesh, WEST), readBy(mesh, APART)]).toEqual([[FIRST], [idOf(EAST), idOf(WEST)]]);
    await mesh.reconcile("mesh", { confirm: ["GatewayInUse"] });
    expect([readBy(mesh, APART), readBy(mesh, EAST)]).toEqual([[idOf(EAST)], [idOf(APART), idOf(WEST)]]);
    await mesh.reconcile("mesh");
    await mesh.reconcile("mesh");
    expect(gatewaysOf(mesh, WEST)).toEqual([SECOND]);
    const after = await mesh.reconcile("mesh");
    expect(reasons(after.summary.findings)).not.toContain("GatewayInUse");
    expect(readBy(mesh, APART)).toEqual([idOf(EAST)]);
  });
});

describe("while a second gateway takes the place of the first", () => {
  const [first, second] = [
    (mesh: FakeMesh) => [addressOf(mesh, WEST, FIRST)],
    (mesh: FakeMesh) => [addressOf(mesh, WEST, SECOND)],
  ];

  it("istiods know the second one when it has been up for a while, and the first one stays as long again", async () => {
    const mesh = await changing();
    const seen: (readonly [readonly string[], string])[] = [];
    const look = async () => {
      await mesh.reconcile("mesh");
      const known = await knownIn(mesh, EAST);
      const which = known[0] === addressOf(mesh, WEST, FIRST) ? FIRST : SECOND;
      seen.push([gatewaysOf(mesh, WEST), known.length === 1 ? which : "both"]);
    };
    await look();
    for (const seconds of [SETTLE - 1, 1, SETTLE - 1, 1]) {
      mesh.clock.advance(seconds);
      await look();
    }
    expect(seen).toEqual([
      [[FIRST, SECOND], FIRST],
      [[FIRST, SECOND], FIRST],
      [[FIRST, SECOND], SECOND],
      [[FIRST, SECOND], SECOND],
      [[SECOND], SECOND],
    ]);
    // The readers hold its address again.
    await mesh.reconcile("mesh");
    const before = versionsOf(mesh);
    await mesh.reconcile("mesh", { deep: true });
    expect(versionsOf(mesh)).toEqual(before);
  });

  it("nothing is written, also by a deep run, as long as there is a time to wait for", async () => {
    const mesh = await changing();
    await mesh.reconcile("mesh");
    const before = versionsOf(mesh);
    await mesh.reconcile("mesh", { deep: true });
    expect(versionsOf(mesh)).toEqual(before);
    mesh.clock.advance(SETTLE);
    await mesh.reconcile("mesh");
    const hidden = versionsOf(mesh);
    await mesh.reconcile("mesh", { deep: true });
    expect(versionsOf(mesh)).toEqual(hidden);
  });

  it("a second one that was down meanwhile waits anew", async () => {
    const mesh = await changing();
    const server = mesh.fleet.server(WEST);
    await mesh.reconcile("mesh");
    server.gateways.notServing.add(SECOND);
    server.settleGateways();
    mesh.clock.advance(SETTLE);
    await mesh.reconcile("mesh");
    server.gateways.notServing.clear();
    server.settleGateways();
    await mesh.reconcile("mesh");
    expect(await knownIn(mesh, EAST)).toEqual(first(mesh));
    mesh.clock.advance(SETTLE);
    await mesh.reconcile("mesh");
    expect(await knownIn(mesh, EAST)).toEqual(second(mesh));
  });

  it("a note by a fast clock holds nothing up: it is written anew", async () => {
    const mesh = await changing();
    mesh.clock.advance(3600);
    await mesh.reconcile("mesh");
    mesh.clock.advance(-3600);
    await mesh.reconcile("mesh");
    mesh.clock.advance(SETTLE);
    await mesh.reconcile("mesh");
    expect(await knownIn(mesh, EAST)).toEqual(second(mesh));
    mesh.clock.advance(SETTLE);
    await mesh.reconcile("mesh");
    expect(gatewaysOf(mesh, WEST)).toEqual([SECOND]);
  });

  it("the first one is known again at once if it is wanted again: it was up all the time", async () => {
    const mesh = await changing();
    await mesh.reconcile("mesh");
    mesh.clock.advance(SETTLE);
    await mesh.reconcile("mesh");
    mesh.clock.advance(SETTLE);
    label(mesh, WEST, { mesh_gateway: "internal" });
    await mesh.reconcile("mesh");
    expect(await knownIn(mesh, EAST)).toEqual(first(mesh));
  });
});

describe("a gateway that should not be there any more", () => {
  const none = async (): Promise<FakeMesh> => {
    const mesh = await joined(EAST, WEST);
    label(mesh, WEST, { mesh_gateway: "none" });
    return mesh;
  };

  it("stays while a member of another network reads its cluster, and a finding says so", async () => {
    const mesh = await none();
    const { summary } = await mesh.reconcile("mesh");
    expect(summary.findings).toContainEqual(
      expect.objectContaining({
        reason: "GatewayInUse",
        message: expect.stringContaining(idOf(EAST)),
        cure: expect.stringMatching(
          /^to keep the pairs: meshjoin label cn-\S+ --gateway=(?:internal|external); .*: meshjoin sync --confirm GatewayInUse$/,
        ),
      }),
    );
    expect([gatewaysOf(mesh, WEST), readBy(mesh, EAST)]).toEqual([[FIRST], [idOf(WEST)]]);
    const { pairs } = await collectStatus(mesh.run());
    expect(pairs).toContainEqual(
      expect.objectContaining({ reader: idOf(EAST), target: idOf(WEST), route: "gateway", status: "synced" }),
    );
  });

  it("goes after the remote secrets, once a person has confirmed their end, and none comes back", async () => {
    const mesh = await none();
    const history = historyOf(mesh, WEST, EAST);
    await mesh.reconcile("mesh", { confirm: ["GatewayInUse"] });
    await mesh.reconcile("mesh");
    await mesh.reconcile("mesh");
    expect(history).toEqual([`${FIRST} read`, `${FIRST} not read`, " not read"]);
    expect(readBy(mesh, WEST)).toEqual([idOf(EAST)]);
  });

  it("goes without a word where readers have another gateway of its network", async () => {
    const north = aCluster({ name: "north", network: WEST.network });
    const mesh = await joined(EAST, WEST, north);
    label(mesh, WEST, { mesh_gateway: "none" });
    const { summary } = await mesh.reconcile("mesh");
    expect(reasons(summary.findings)).not.toContain("GatewayInUse");
    expect(gatewaysOf(mesh, WEST)).toEqual([]);
    expect(readBy(mesh, EAST)).toEqual([idOf(north), idOf(WEST)]);
  });

  it("stays with all others of its network where all should go", async () => {
    const north = aCluster({ name: "north", network: WEST.network });
    const mesh = await joined(EAST, WEST, north);
    await mesh.reconcile("mesh", { spec: { gateways: "never" } } satisfies ProcessOptions);
    expect([gatewaysOf(mesh, WEST), gatewaysOf(mesh, north)]).toEqual([[FIRST], [FIRST]]);
    expect(readBy(mesh, EAST)).toEqual([idOf(north), idOf(WEST)]);
  });
});

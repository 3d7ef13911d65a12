import { afterEach, describe, expect, it, jest } from "@jest/globals";
import { verdictOf } from "../../../shared/core/answers/verdict.ts";
import { clusterId } from "../../../shared/core/names.ts";
import { UnavailableError } from "../../../shared/errors.ts";
import type { Fleet } from "../../../shared/ports/fleet.ts";
import type { MemberApi } from "../../../shared/ports/member-api.ts";
import type { Run } from "../../../shared/run.ts";
import { collectStatus } from "../../../shared/status.ts";
import { aCluster } from "../../support/builders/cluster.ts";
import { aMesh, type FakeMesh } from "../../support/fakes/mesh.ts";
import { versionsOf, waitShortly } from "./world.ts";

const SPEC = { connectedNetworks: [["shop.default", "dmz"]] };
const EAST = aCluster({ name: "east" });
const WEST = aCluster({ name: "west", labels: { mesh_id: "prod", mesh_network: "dmz" } });
const HOUR = 3600;
const LOST = expect.objectContaining({ reason: "GatewayLost", severity: "error" });
const [EAST_ID, WEST_ID] = [clusterId(EAST.ref), clusterId(WEST.ref)];

async function joined(): Promise<FakeMesh> {
  const mesh = await aMesh({ clusters: [EAST, WEST], spec: SPEC });
  for (const cluster of mesh.clusters) await mesh.join(cluster);
  return mesh;
}

/** Every istiod tells its remote clusters, and not the gateways that it knows. */
function withoutGatewaysTold(run: Run): Run {
  const { fleet } = run.ports;
  const member: Fleet["member"] = (cluster) => {
    const api = fleet.member(cluster);
    const open: MemberApi["istiod"]["open"] = (pod) => ({
      ...api.istiod.open(pod),
      connectedProxies: () => Promise.resolve([]),
      networkGateways: () => Promise.reject(new UnavailableError("no answer", { code: "Unavailable" })),
    });
    return { ...api, istiod: { open } };
  };
  return { ...run, ports: { ...run.ports, fleet: { ...fleet, member } } };
}

const gatewayOf = async (mesh: FakeMesh) => {
  const { members } = await collectStatus(mesh.run());
  return members.find((member) => member.clusterId === WEST_ID)?.gateway;
};

afterEach(() => {
  jest.restoreAllMocks();
});

describe("a status of two networks", () => {
  it("names network and gateway of each member, and the way of each pair", async () => {
    const { members, pairs } = await collectStatus((await joined()).run());
    expect(members.map(({ clusterId: id, network }) => [id, network])).toEqual([
      [EAST_ID, { name: "shop.default", declared: false }],
      [WEST_ID, { name: "dmz", declared: true }],
    ]);
    const gateway = { state: "present", address: expect.stringMatching(/./), up: true, exposure: "internal" };
    expect(members.map((member) => member.gateway)).toEqual([gateway, gateway]);
    expect(pairs).toMatchObject([
      { reader: EAST_ID, target: WEST_ID, status: "synced", route: "gateway", isDue: true },
      { reader: WEST_ID, target: EAST_ID, status: "synced", route: "gateway", isDue: true },
    ]);
  });

  it("tells a gateway without an address, one without a ready pod, one that is gone, and one not seen", async () => {
    const mesh = await joined();
    const server = mesh.fleet.server(WEST);
    server.gateways.isServing = false;
    server.settleGateways();
    expect(await gatewayOf(mesh)).toMatchObject({ address: expect.stringMatching(/./), up: false });
    server.gateways.hasAddress = false;
    server.settleGateways();
    expect(await gatewayOf(mesh)).toEqual({ state: "present", up: false, exposure: "internal" });
    server.faults.forbidden = ["list EndpointSlice"];
    expect(await gatewayOf(mesh)).toEqual({ state: "unknown" });
    server.faults.forbidden = [];
    const gateway = {
      apiVersion: "gateway.networking.k8s.io/v1",
      kind: "Gateway",
      name: "meshjoin-eastwest",
    };
    server.store.delete({ ...gateway, namespace: "istio-system" });
    expect(await gatewayOf(mesh)).toEqual({ state: "none" });
  });

  it("says that a gateway is lost for as long as it is, and not only in the run that takes the pairs apart", async () => {
    waitShortly();
    const mesh = await joined();
    const server = mesh.fleet.server(WEST);
    server.gateways.isServing = false;
    server.settleGateways();
    await mesh.reconcile("mesh");
    const before = versionsOf(mesh);
    for (let run = 0; run < 2; run += 1) {
      mesh.clock.advance(HOUR / 2);
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      const { summary } = await mesh.reconcile("mesh");
      expect(summary.findings).toContainEqual(LOST);
      // oxlint-disable-next-line no-await-in-loop -- the same
      const status = await collectStatus(mesh.run());
      expect(verdictOf(status)).toMatchObject({ health: "broken", text: "1 pair not there yet, 1 error" });
      expect(status.findings).toContainEqual(LOST);
    }
    expect(versionsOf(mesh)).toEqual(before);
    server.gateways.isServing = true;
    server.settleGateways();
    await mesh.reconcile("mesh");
    expect(verdictOf(await collectStatus(mesh.run()))).toMatchObject({ health: "whole" });
  });

  it("calls a pair overdue whose gateway gets no address, with the command that shows why", async () => {
    waitShortly();
    const mesh = await aMesh({ clusters: [EAST, WEST], spec: SPEC });
    mesh.fleet.server(WEST).gateways.hasAddress = false;
    await mesh.reconcile("mesh");
    await mesh.reconcile("mesh");
    const health = async () => verdictOf(await collectStatus(mesh.run()));
    expect(await health()).toMatchObject({ text: "1 pair not there yet", findings: [] });
    mesh.clock.advance(HOUR / 2);
    const before = versionsOf(mesh);
    await mesh.reconcile("mesh");
    expect(versionsOf(mesh)).toEqual(before);
    const overdue = {
      reason: "JoinOverdue",
      clusterId: EAST_ID,
      message: expect.stringContaining("no gateway of network dmz is up"),
      cure: expect.stringContaining("describe gateways.gateway.networking.k8s.io meshjoin-eastwest"),
    };
    expect(await health()).toMatchObject({ health: "degraded", findings: [overdue] });
  });

  it.each([
    ["forbidden", "failed", false, "RunFailed"],
    ["broken", "waiting", true, "ApiServerUnreachable"],
  ] as const)(
    "comes of a run that does not end as if all were done where gateways are not read: %s",
    async (how, outcome, isRetried, reason) => {
      const mesh = await joined();
      const { faults } = mesh.fleet.server(EAST);
      faults[how] = ["list Service"];
      const { summary, retry } = await mesh.reconcile("mesh");
      expect([summary.outcome, retry]).toEqual([outcome, isRetried]);
      expect(summary.members).toContainEqual(
        expect.objectContaining({ clusterId: EAST_ID, findings: [expect.objectContaining({ reason })] }),
      );
      expect(verdictOf(await collectStatus(mesh.run())).health).toBe(
        how === "broken" ? "degraded" : "broken",
      );
    },
  );

  it("has a pair that waits for a gateway with the way that it waits for", async () => {
    const mesh = await joined();
    const server = mesh.fleet.server(WEST);
    server.gateways.hasAddress = false;
    server.settleGateways();
    const { pairs } = await collectStatus(mesh.run());
    expect(pairs).toMatchObject([
      { target: WEST_ID, route: "gateway", isDue: false },
      { target: EAST_ID, route: "gateway", isDue: true },
    ]);
  });

  it("finds a pair whose istiod is synced and knows no live gateway of the target, as a run does", async () => {
    const mesh = await joined();
    const { store, istiod } = mesh.fleet.server(EAST);
    const gateway = {
      apiVersion: "gateway.networking.k8s.io/v1",
      kind: "Gateway",
      namespace: "istio-system",
    };
    for (const { metadata } of store.list(gateway))
      if (metadata.name.startsWith("meshjoin-last")) store.delete({ ...gateway, name: metadata.name });
    const unlisted = async () => {
      const { findings } = await collectStatus(mesh.run());
      return findings.flatMap(({ reason, clusterId: id }) => (reason === "GatewayNotListed" ? [id] : []));
    };
    expect(await unlisted()).toEqual([]);
    istiod.seesNoGateway = true;
    expect(await unlisted()).toEqual([EAST_ID]);
  });

  it("has a pair without a way only while an istiod lists its target", async () => {
    const mesh = await joined();
    const apart = { ...mesh.run(), spec: { ...mesh.run().spec, connectedNetworks: [] } };
    expect((await collectStatus(apart)).pairs).toMatchObject([
      { target: WEST_ID, status: "synced", route: "none", isDue: false },
      { target: EAST_ID, status: "synced", route: "none", isDue: false },
    ]);
    const strangers = await aMesh({ clusters: [EAST, WEST] });
    for (const cluster of strangers.clusters) await strangers.join(cluster);
    expect((await collectStatus(strangers.run())).pairs).toEqual([]);
  });

  it("has it also where no istiod tells which gateways it knows; a pair with a way is not known then", async () => {
    const mesh = await joined();
    const run = withoutGatewaysTold(mesh.run());
    expect((await collectStatus(run)).pairs).toMatchObject([
      { target: WEST_ID, status: "unknown", route: "gateway" },
      { target: EAST_ID, status: "unknown", route: "gateway" },
    ]);
    expect(
      (await collectStatus({ ...run, spec: { ...run.spec, connectedNetworks: [] } })).pairs,
    ).toMatchObject([
      { target: WEST_ID, status: "synced", route: "none" },
      { target: EAST_ID, status: "synced", route: "none" },
    ]);
  });

  it("says not known of gateways that no member needs, because nobody asked", async () => {
    const mesh = await aMesh({ members: 2 });
    await mesh.reconcile("mesh");
    const { members, pairs } = await collectStatus(mesh.run());
    expect(members.map(({ gateway }) => gateway.state)).toEqual(["unknown", "unknown"]);
    expect(pairs.map(({ route }) => route)).toEqual(["direct", "direct"]);
  });
});

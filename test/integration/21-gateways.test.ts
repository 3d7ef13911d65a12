import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import type { FleetMember } from "../../sandbox/google/member.ts";
import type { Answer } from "../../sandbox/traffic/request.ts";
import { startTraffic, type Traffic } from "../../sandbox/traffic/traffic.ts";
import { lastGatewayName } from "../../shared/core/names.ts";
import { MESH_LABEL, membersOf, SCENARIO_MS, useFleet } from "./world/fleet.ts";
import { clearFaults, setFault, setLabels } from "./world/google.ts";
import { kubectl, list, type WorldObject } from "./world/kubectl.ts";
import { eventually } from "./world/mesh.ts";
import { sync } from "./world/sync-mesh.ts";

/** Longer than proxies take to learn from istiod which gateways there are. */
const SETTLE_MS = 3000;

const world = useFleet({
  members: 2,
  networks: 2,
  traffic: true,
  env: {
    MESHJOIN_CONNECTED_NETWORKS: "meshjoin-sandbox.default+meshjoin-sandbox.network-2+edge",
    MESHJOIN_GATEWAY_SETTLE: `${SETTLE_MS / 1000}s`,
  },
});
const IN_ISTIO = ["-n", "istio-system"];
const GATEWAYS = "gateways.gateway.networking.k8s.io";
const WITHOUT_GATEWAY_MS = 5000;
let traffic: Traffic;

beforeAll(async () => {
  traffic = await startTraffic(world.fleet);
}, SCENARIO_MS);

afterAll(async () => {
  await traffic.stop();
});

/** Where some have, the message of the test shows how they ended. */
const NONE_FAILED = { failed: 0, failures: [] };
const isFine = ({ status }: Answer) => status === 200;

describe("requests between two networks", () => {
  it(
    "21.1 pass through a gateway, by mutual TLS from end to end; behind a firewall that drops them none does",
    async () => {
      const { fleet } = world;
      const [reader, target] = membersOf(fleet);
      expect(await traffic.request()).toMatchObject({ status: 200 });
      const peer = /URI=spiffe:\/\/cluster\.local\/ns\/shop\/sa\/client/;
      expect((await traffic.request()).body).toMatch(peer);
      const wall = { from: reader?.clusterId ?? "", to: target?.clusterId ?? "" };
      await setFault(fleet, { target: "firewall", kind: "firewall", ...wall });
      expect(await traffic.request()).toMatchObject({ status: 503 });
      await clearFaults(fleet);
      expect(await eventually(() => traffic.request(), isFine)).toMatchObject({ status: 200 });
      expect(traffic.rawAddresses()).toBe(0);
    },
    SCENARIO_MS,
  );

  it(
    "21.2 find no server while the gateway has no address, and no address of its pod; with the gateway they pass again",
    async () => {
      const { fleet } = world;
      const [, target] = membersOf(fleet);
      await setFault(fleet, { target: target?.clusterId ?? "", kind: "gatewayAddress" });
      await sync(fleet);
      const gone = await eventually(
        () => traffic.request(),
        ({ body }) => body === "no healthy upstream",
      );
      expect(gone).toMatchObject({ status: 503, body: "no healthy upstream" });
      await sleep(1000);
      expect(traffic.rawAddresses()).toBe(0);
      await clearFaults(fleet);
      await sync(fleet);
      expect(await eventually(() => traffic.request(), isFine)).toMatchObject({ status: 200 });
      expect(traffic.rawAddresses()).toBe(0);
    },
    SCENARIO_MS,
  );

  it(
    "21.3 go on while another exposure takes its gateway's place: none fails",
    async () => {
      const { fleet } = world;
      const [, target] = membersOf(fleet);
      if (target === undefined) throw new Error("the fleet lacks a member");
      await traffic.step("before", async () => await sleep(1000));
      const second = await traffic.step("a second gateway", async () => {
        await setLabels(fleet, target, { ...MESH_LABEL, mesh_gateway: "external" });
        await fleet.waitUntilDelivered();
        await sleep(SETTLE_MS);
        await sync(fleet);
        // One that comes at once finds the first gateway hidden, while proxies may still know it.
        await sync(fleet);
      });
      // With one address for both, a router whose Service goes would take requests of the other gateway.
      expect(new Set(await routerAddressesIn(target)).size).toBe(2);
      const alone = await traffic.step("the first gateway goes", async () => {
        await sleep(SETTLE_MS);
        await sync(fleet);
      });
      expect(await gatewaysIn(target)).toEqual(["meshjoin-eastwest-b"]);
      expect([second, alone]).toMatchObject([NONE_FAILED, NONE_FAILED]);
      expect(second.requests).toBeGreaterThan(50);
      expect(traffic.rawAddresses()).toBe(0);
    },
    SCENARIO_MS,
  );

  it(
    "21.4 go on while the network of the target changes, and while its former gateway goes: none fails",
    async () => {
      const { fleet } = world;
      const [, target] = membersOf(fleet);
      if (target === undefined) throw new Error("the fleet lacks a member");
      const pods = ["-n", "shop", "label", "pods", "--all", "--overwrite"];
      // As istiod's injector labels a pod when it starts.
      await kubectl(target, ...pods, "topology.istio.io/network=meshjoin-sandbox.network-2");
      await traffic.step("before", async () => await sleep(1000));
      const changed = await traffic.step("change of network", async () => {
        await setLabels(fleet, target, { ...MESH_LABEL, mesh_gateway: "external", mesh_network: "edge" });
        await fleet.waitUntilDelivered();
        await sync(fleet, { confirm: ["NetworkChanges"] });
        await sync(fleet);
        await sync(fleet);
      });
      expect(await gatewaysIn(target)).toEqual(["meshjoin-eastwest", "meshjoin-eastwest-b"]);
      expect(changed).toMatchObject(NONE_FAILED);
      // A workload that starts anew; its old pod would drain, which this one pod cannot.
      await kubectl(target, ...pods, "topology.istio.io/network=edge");
      expect(await eventually(() => traffic.request(), isFine)).toMatchObject({ status: 200 });
      await traffic.step("workloads start anew", async () => await sleep(1000));
      const left = await traffic.step("the former gateway goes", async () => {
        await sync(fleet);
        await sync(fleet);
      });
      expect(await gatewaysIn(target)).toEqual(["meshjoin-eastwest"]);
      expect(left).toMatchObject(NONE_FAILED);
      expect(traffic.rawAddresses()).toBe(0);
    },
    SCENARIO_MS,
  );

  it(
    "21.5 fail while a person has deleted the gateway, and no proxy gets an address of its pod, thanks to its last known address",
    async () => {
      const { fleet } = world;
      const [reader, target] = membersOf(fleet);
      if (reader === undefined || target === undefined) throw new Error("the fleet lacks a member");
      const made = async () =>
        (await kubectl(reader, ...IN_ISTIO, "get", "deployments,services,serviceaccounts", "-o", "name"))
          .split("\n")
          .filter((name) => name.includes("last"));
      await sync(fleet);
      const before = await heldIn(reader);
      expect(before).toEqual([await addressOf(target)]);
      expect(await made()).toEqual([]);
      const rawUntilLost = traffic.rawAddresses();
      const lost = await loseGateway(reader, target);
      expect(lost.failed).toBeGreaterThan(0);
      expect(traffic.rawAddresses() - rawUntilLost).toBe(0);
      expect((await sync(fleet)).body.outcome).toBe("created");
      expect(await eventually(() => traffic.request(), isFine)).toMatchObject({ status: 200 });
      expect(traffic.rawAddresses() - rawUntilLost).toBe(0);
      const after = await heldIn(reader);
      expect(after).toEqual([await addressOf(target)]);
      expect(after).not.toEqual(before);

      // Without it.
      await kubectl(reader, ...IN_ISTIO, "delete", GATEWAYS, lastGatewayName(target.clusterId));
      await loseGateway(reader, target);
      expect(traffic.rawAddresses() - rawUntilLost).toBeGreaterThan(0);
      await sync(fleet, { deep: true });
      expect(await eventually(() => traffic.request(), isFine)).toMatchObject({ status: 200 });
      await sync(fleet);
      expect(await heldIn(reader)).toEqual([await addressOf(target)]);
    },
    SCENARIO_MS,
  );
});

/** A person deletes the target's gateway: requests once the reader's istiod knows it no more. */
async function loseGateway(reader: FleetMember, target: FleetMember) {
  const isKnown = async () => {
    const response = await fetch(`${reader.istiodHttp}/debug/networkz`);
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- istiod's own format
    const rows = (await response.json()) as readonly { Cluster: string }[] | null;
    return (rows ?? []).some(({ Cluster }) => Cluster === target.clusterId);
  };
  await kubectl(target, ...IN_ISTIO, "delete", GATEWAYS, "meshjoin-eastwest");
  expect(await eventually(isKnown, (known) => !known)).toBe(false);
  return await traffic.step("no gateway", async () => await sleep(WITHOUT_GATEWAY_MS));
}

/** The addresses of gateways elsewhere that the cluster holds. */
async function heldIn(member: FleetMember): Promise<readonly string[]> {
  const gateways = await gatewayObjects(member);
  return gateways
    .filter(({ spec }) => spec.gatewayClassName === "istio-remote")
    .flatMap(({ spec: { addresses = [] } }) => addresses.map(({ value }) => value));
}

async function addressOf(member: FleetMember): Promise<string> {
  const path = "jsonpath={.status.loadBalancer.ingress[0].ip}";
  return await kubectl(member, ...IN_ISTIO, "get", "service", "meshjoin-eastwest-istio", "-o", path);
}

async function gatewaysIn(member: FleetMember): Promise<readonly string[]> {
  const gateways = await gatewayObjects(member);
  return gateways
    .filter(({ spec }) => spec.gatewayClassName === "istio")
    .map(({ metadata }) => metadata.name);
}

interface GatewayObject extends WorldObject {
  readonly spec: {
    readonly gatewayClassName: string;
    readonly addresses?: readonly { readonly value: string }[];
  };
}

async function gatewayObjects(member: FleetMember): Promise<readonly GatewayObject[]> {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- gateway.networking.k8s.io/v1 Gateway
  return (await list(member, GATEWAYS, ...IN_ISTIO)) as readonly GatewayObject[];
}

async function routerAddressesIn(member: FleetMember): Promise<readonly string[]> {
  const label = "gateway.networking.k8s.io/gateway-name";
  const path = "jsonpath={.items[*].status.podIP}";
  return (await kubectl(member, "-n", "istio-system", "get", "pods", "-l", label, "-o", path)).split(" ");
}

import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import type { FleetMember } from "../../sandbox/google/member.ts";
import type { Answer } from "../../sandbox/traffic/request.ts";
import { startTraffic, type Traffic } from "../../sandbox/traffic/traffic.ts";
import { MESH_LABEL, membersOf, SCENARIO_MS, useFleet } from "./world/fleet.ts";
import { clearFaults, setFault, setLabels } from "./world/google.ts";
import { kubectl, list } from "./world/kubectl.ts";
import { eventually } from "./world/mesh.ts";
import { sync } from "./world/sync-mesh.ts";

const world = useFleet({
  members: 2,
  networks: 2,
  traffic: true,
  env: { MESHJOIN_CONNECTED_NETWORKS: "meshjoin-sandbox.default+meshjoin-sandbox.network-2+edge" },
});
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
        await sync(fleet);
      });
      // With one address for both, a router whose Service goes would take requests of the other gateway.
      expect(new Set(await routerAddressesIn(target)).size).toBe(2);
      const alone = await traffic.step("the first gateway goes", async () => {
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
});

async function gatewaysIn(member: FleetMember): Promise<readonly string[]> {
  const gateways = await list(member, "gateways.gateway.networking.k8s.io", "-n", "istio-system");
  return gateways.map(({ metadata }) => metadata.name);
}

async function routerAddressesIn(member: FleetMember): Promise<readonly string[]> {
  const label = "gateway.networking.k8s.io/gateway-name";
  const path = "jsonpath={.items[*].status.podIP}";
  return (await kubectl(member, "-n", "istio-system", "get", "pods", "-l", label, "-o", path)).split(" ");
}

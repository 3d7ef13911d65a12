import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import type { Answer } from "../../sandbox/traffic/request.ts";
import { startTraffic, type Traffic } from "../../sandbox/traffic/traffic.ts";
import { membersOf, SCENARIO_MS, useFleet } from "./world/fleet.ts";
import { clearFaults, setFault } from "./world/google.ts";
import { eventually } from "./world/mesh.ts";
import { sync } from "./world/sync-mesh.ts";

const world = useFleet({
  members: 2,
  networks: 2,
  traffic: true,
  env: { MESHJOIN_CONNECTED_NETWORKS: "meshjoin-sandbox.default+meshjoin-sandbox.network-2" },
});
let traffic: Traffic;

beforeAll(async () => {
  traffic = await startTraffic(world.fleet);
}, SCENARIO_MS);

afterAll(async () => {
  await traffic.stop();
});

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
});

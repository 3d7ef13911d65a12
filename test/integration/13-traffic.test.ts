import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { INTERMEDIATES, ROOT_ROTATION } from "../../sandbox/demo/rotation/rotations.ts";
import type { Step } from "../../sandbox/demo/rotation/step.ts";
import { STEPS } from "../../sandbox/demo/rotation/steps.ts";
import type { SandboxFleet } from "../../sandbox/fleet/fleet.ts";
import { breakTraffic } from "../../sandbox/traffic/control.ts";
import type { Answer } from "../../sandbox/traffic/request.ts";
import { startTraffic, type Traffic } from "../../sandbox/traffic/traffic.ts";
import type { Diagnosis } from "../../shared/core/answers/check.ts";
import { type Desk, sitDown } from "./world/desk.ts";
import { membersOf, SCENARIO_MS, useFleet } from "./world/fleet.ts";
import { clearFaults, createFirewallRule, rootVersions, setFault } from "./world/google.ts";
import { kubectl } from "./world/kubectl.ts";
import { eventually } from "./world/mesh.ts";
import { serials } from "./world/rotation.ts";
import { sync } from "./world/sync-mesh.ts";

const world = useFleet({
  members: 2,
  traffic: true,
  firewall: false,
  env: { MESHJOIN_WORKLOAD_TTL: "20s", MESHJOIN_CLOCK_SKEW: "2s", MESHJOIN_INTERMEDIATE_TTL: "130s" },
});
let traffic: Traffic;

/** Two thirds of the life of every intermediate go by; then full runs find them due. */
const EXPIRY: Step = {
  name: "renewal of intermediates that come to their end",
  async run({ fleet }) {
    const before = await serials(fleet);
    const renewed = await eventually(
      async () => {
        await sync(fleet);
        return await serials(fleet);
      },
      (now) => Object.keys(now).every((id) => now[id] !== before[id]),
      SCENARIO_MS,
    );
    expect(Object.keys(renewed).filter((id) => renewed[id] === before[id])).toEqual([]);
  },
};

beforeAll(async () => {
  traffic = await startTraffic(world.fleet, { waitForAnswer: false });
}, SCENARIO_MS);

afterAll(async () => {
  await traffic.stop();
});

/** What a sidecar says after ten seconds without an answer. */
const TIMED_OUT = { status: 503, body: expect.stringContaining("connection timeout") };
/**
 * After a change for the better: what waits is looked at again within seven seconds of its beginning, or
 * fails after ten; and a sidecar lets all requests fail that wait for a connection when one of them does.
 */
const SETTLED_MS = 5000;

async function answered(wanted: number): Promise<Answer> {
  return await eventually(
    () => traffic.request(),
    ({ status }) => status === wanted,
  );
}

/** As its owner would: gcloud as doctor words it, or the same through the API where there is no gcloud. */
async function makeRule(fleet: SandboxFleet, desk: Desk, command: string): Promise<void> {
  const ranges = /--source-ranges=(\S+)/.exec(command)?.[1] ?? "";
  const { code } = await desk.run("command -v gcloud");
  if (code !== 0) return await createFirewallRule(fleet, "meshjoin-pods", ranges.split(","));
  expect(await desk.run(command)).toMatchObject({ code: 0 });
}

describe("requests from one member to another", () => {
  it(
    "13.1 none passes without a firewall rule, though the members are synced, and doctor's cure lets all pass",
    async () => {
      const { fleet } = world;
      const [client = "", server = ""] = membersOf(fleet).map(({ clusterId }) => clusterId);
      await fleet.waitUntilSynced();
      expect(await answered(503)).toEqual(TIMED_OUT);
      const { requests, failed } = await eventually(
        async () => traffic.counts(),
        (counts) => counts.requests > 0,
      );
      expect(requests).toBeGreaterThan(0);
      expect(failed).toBe(requests);
      expect([await traffic.knock(client), await traffic.knock(server)]).toEqual(["no answer", "ECONNRESET"]);

      const desk = await sitDown(fleet, {});
      const examined = await desk.run(`'${process.execPath}' cli/main.ts doctor --output json`);
      const { checks }: Diagnosis = JSON.parse(examined.out);
      const faults = checks.filter(({ name, state }) => name === "firewall" && state === "fault");
      expect(new Set(faults.map(({ clusterId }) => clusterId))).toEqual(new Set([client, server]));
      const [command = ""] = (faults[0]?.cure ?? "").split(" || ");
      await makeRule(fleet, desk, command);
      expect(await answered(200)).toMatchObject({ status: 200 });
      await sleep(SETTLED_MS);
    },
    SCENARIO_MS,
  );

  it(
    "13.2 only those of a pair fail whose connections a fault drops",
    async () => {
      const { fleet } = world;
      const [client = "", server = ""] = membersOf(fleet).map(({ clusterId }) => clusterId);
      await setFault(fleet, { target: "firewall", from: server, to: client });
      expect(await traffic.request()).toMatchObject({ status: 200 });
      await setFault(fleet, { target: "firewall", from: client, to: server });
      expect(await traffic.request()).toEqual(TIMED_OUT);
      expect([await traffic.knock(client), await traffic.knock(server)]).toEqual(["no answer", "ECONNRESET"]);
      await clearFaults(fleet);
      expect(await answered(200)).toMatchObject({ status: 200 });
      await traffic.step("the faults end", () => sleep(SETTLED_MS));
    },
    SCENARIO_MS,
  );

  it("13.3 go over mutual TLS, as the identities of both pods", async () => {
    const { status, body } = await traffic.request();
    expect(status).toBe(200);
    expect(body).toContain("By=spiffe://cluster.local/ns/shop/sa/hello");
    expect(body).toContain("URI=spiffe://cluster.local/ns/shop/sa/client");
  });

  it("13.4 each has a connection of its own", async () => {
    const { requests, connections } = await traffic.sent();
    expect(requests).toBeGreaterThan(0);
    expect(connections).toBeGreaterThanOrEqual(requests);
  });

  it("13.5 each side has its member's intermediate, of the one root", async () => {
    const { client, server } = await traffic.sides();
    expect(client?.root).toMatch(/^[0-9a-f]{64}$/);
    expect(server?.root).toBe(client?.root);
    const written = world.fleet
      .file()
      .members.slice(0, 2)
      .map((member) =>
        kubectl(
          member,
          "-n",
          "istio-system",
          "get",
          "secret",
          "cacerts",
          "-o",
          String.raw`jsonpath={.metadata.annotations.meshjoin\.dev/fingerprint}`,
        ),
      );
    expect([client?.intermediate, server?.intermediate]).toEqual(await Promise.all(written));
  });

  it("13.6 without TLS they are cut off", async () => {
    const [client] = membersOf(world.fleet);
    expect(await traffic.knock(client?.clusterId ?? "")).toBe("ECONNRESET");
  });

  it.each([...STEPS.filter(({ name }) => name.includes("third")), EXPIRY, INTERMEDIATES, ...ROOT_ROTATION])(
    "13.7 none fails during: $name",
    async (step) => {
      const { fleet } = world;
      const work = () => step.run({ fleet, traffic, tokens: new Map(), say: () => undefined });
      const counts = await traffic.step(step.name, work);
      expect(counts).toMatchObject({ failed: 0, failures: [] });
      expect(counts.requests).toBeGreaterThan(0);
    },
    2 * SCENARIO_MS,
  );

  it("13.8 both sides have certificates of the new root alone in the end", async () => {
    const { client, server } = await traffic.sides();
    expect(client?.trusted).toEqual([client?.root]);
    expect(server?.trusted).toEqual([client?.root]);
    expect(await rootVersions(world.fleet)).toEqual({ 1: false, 2: true });
  });

  it(
    "13.9 they fail when a rotation is done in the wrong order, so that a failure would have been seen",
    async () => {
      // A run that is still under way would mend it.
      await world.fleet.waitUntilDelivered();
      const control = await breakTraffic(world.fleet, traffic);
      expect(control.failed).toBeGreaterThan(0);
      expect((await traffic.request()).status).toBe(200);
    },
    2 * SCENARIO_MS,
  );
});

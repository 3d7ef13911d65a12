import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { INTERMEDIATES, ROOT_ROTATION } from "../../sandbox/demo-rotation/rotations.ts";
import type { Step } from "../../sandbox/demo-rotation/step.ts";
import { STEPS } from "../../sandbox/demo-rotation/steps.ts";
import { breakTraffic } from "../../sandbox/traffic/control.ts";
import { startTraffic, type Traffic } from "../../sandbox/traffic/traffic.ts";
import { SCENARIO_MS, useFleet } from "./world/fleet.ts";
import { rootVersions } from "./world/google.ts";
import { kubectl } from "./world/kubectl.ts";
import { eventually } from "./world/mesh.ts";
import { serials } from "./world/rotation.ts";
import { sync } from "./world/sync-mesh.ts";

const world = useFleet({
  members: 2,
  traffic: true,
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
  traffic = await startTraffic(world.fleet);
}, SCENARIO_MS);

afterAll(async () => {
  await traffic.stop();
});

describe("requests from one member to another", () => {
  it("40 go over mutual TLS, as the identities of both pods", async () => {
    const { status, body } = await traffic.request();
    expect(status).toBe(200);
    expect(body).toContain("By=spiffe://cluster.local/ns/shop/sa/hello");
    expect(body).toContain("URI=spiffe://cluster.local/ns/shop/sa/client");
  });

  it("40 each has a connection of its own", async () => {
    const { requests, connections } = await traffic.sent();
    expect(requests).toBeGreaterThan(0);
    expect(connections).toBeGreaterThanOrEqual(requests);
  });

  it("40 each side has its member's intermediate, of the one root", async () => {
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

  it("41 without TLS they are cut off", async () => {
    const failed = await fetch(`http://${traffic.serverAddress}/`).catch((error: unknown) => error);
    expect(failed).toMatchObject({ cause: { code: "ECONNRESET" } });
  });

  it.each([...STEPS.filter(({ name }) => name.includes("third")), EXPIRY, INTERMEDIATES, ...ROOT_ROTATION])(
    "42 none fails during: $name",
    async (step) => {
      const { fleet } = world;
      const work = () => step.run({ fleet, traffic, tokens: new Map(), say: () => undefined });
      const counts = await traffic.step(step.name, work);
      expect({ ...counts, failure: traffic.lastFailure() }).toMatchObject({ failed: 0, failure: undefined });
      expect(counts.requests).toBeGreaterThan(0);
    },
    2 * SCENARIO_MS,
  );

  it("43 both sides have certificates of the new root alone in the end", async () => {
    const { client, server } = await traffic.sides();
    expect(client?.trusted).toEqual([client?.root]);
    expect(server?.trusted).toEqual([client?.root]);
    expect(await rootVersions(world.fleet)).toEqual({ 1: false, 2: true });
  });

  it(
    "44 they fail when a rotation is done in the wrong order, so that a failure would have been seen",
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

import { readFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { MIRROR_HUB } from "../../sandbox/google/cloud.ts";
import type { FleetMember } from "../../sandbox/google/member.ts";
import type { Answer } from "../../sandbox/traffic/request.ts";
import { startTraffic, type Traffic, type TrafficOptions } from "../../sandbox/traffic/traffic.ts";
import { count } from "../../shared/core/count.ts";
import { parsePin } from "../../shared/istio/pin.ts";
import { type Desk, meshjoinOfClone, sitDown } from "./world/desk.ts";
import { membersOf, SCENARIO_MS, useFleet } from "./world/fleet.ts";
import { clearFaults, setFault } from "./world/google.ts";
import { kubectl } from "./world/kubectl.ts";
import { eventually, expectPaired } from "./world/mesh.ts";
import { status, sync } from "./world/sync-mesh.ts";

const pin = parsePin(await readFile(new URL("../../shared/istio/pin.json", import.meta.url), "utf8"));
const EARLIER = "1.2.3";
/** Of a workload's certificate. */
const LIFE_MS = 60_000;
/** With how much of its life left a sidecar renews one, at the least. */
const LEFT_MS = LIFE_MS * 0.49;

const world = useFleet({
  members: 2,
  traffic: true,
  env: { MESHJOIN_WORKLOAD_TTL: `${LIFE_MS / 1000}s`, MESHJOIN_CLOCK_SKEW: "2s" },
});
const ISTIOD = ["-n", "istio-system"];
let traffic: Traffic;
let desk: Desk;

beforeAll(async () => {
  traffic = await startTraffic(world.fleet);
  desk = await sitDown(world.fleet, {});
  await desk.set(await meshjoinOfClone(world.fleet));
}, SCENARIO_MS);

afterAll(async () => {
  await traffic.stop();
});

const isFine = ({ status: is }: Answer) => is === 200;
const NONE_FAILED = { failed: 0, failures: [] };

/** The client is in the first, the server in the second. */
function two(): readonly [FleetMember, FleetMember] {
  const [reader, target] = membersOf(world.fleet);
  if (reader === undefined || target === undefined) throw new Error("the fleet lacks a member");
  return [reader, target];
}

async function podsOf(member: FleetMember): Promise<string> {
  return await kubectl(member, ...ISTIOD, "get", "pods", "-l", "app=istiod", "-o", "name");
}

/** All that the traffic has made has ports of its own, and is made anew. */
const MADE = ["pods", "services", ...["sidecars", "virtualservices", "destinationrules"].map(ofIstio)];

function ofIstio(kind: string): string {
  return `${kind}.networking.istio.io`;
}

async function restartPods(options: TrafficOptions = {}): Promise<void> {
  await traffic.stop();
  await Promise.all(two().map((member) => kubectl(member, "-n", "shop", "delete", MADE.join(","), "--all")));
  traffic = await startTraffic(world.fleet, options);
}

async function availableSince(member: FleetMember): Promise<number> {
  const path = `jsonpath={.status.conditions[?(@.type=="Available")].lastTransitionTime}`;
  return Date.parse(await kubectl(member, ...ISTIOD, "get", "deployment", "istiod", "-o", path));
}

/** The times in a message, which have no seconds. */
function timesIn(message: string): number[] {
  return [...message.matchAll(/(\d{4}-\d\d-\d\d) (\d\d:\d\d) UTC/g)].map(([, day, minute]) =>
    Date.parse(`${day}T${minute}:00Z`),
  );
}

describe("proxies of another release than their istiod", () => {
  it(
    "26.1 are counted in a deep run, and no more when they have started anew",
    async () => {
      const { fleet } = world;
      const counted = async () =>
        (await sync(fleet, { deep: true })).body.findings.filter(
          ({ reason }) => reason === "ProxiesOutdated",
        );
      expect(await counted()).toEqual([]);
      await restartPods({ release: EARLIER });
      const told = (await counted()).toSorted((a, b) => (a.message < b.message ? -1 : 1));
      expect(told.map(({ message }) => message)).toEqual(
        two().map(
          ({ clusterId }) =>
            `${count(1, "proxy")} of ${clusterId} still runs Istio ${EARLIER}, and istiod ${pin.tag}`,
        ),
      );
      expect(told.map(({ cure }) => cure)).toEqual([
        "make anew, or wait for the end of, shop/pod/client",
        "make anew, or wait for the end of, shop/pod/hello",
      ]);
      await restartPods();
      expect(await counted()).toEqual([]);
    },
    SCENARIO_MS,
  );
});

describe("a member whose API server is silent", () => {
  it(
    "26.2 is served from, shown as not known, and a roll-out waits that would take its pods from its reader",
    async () => {
      const { fleet } = world;
      const [reader, target] = two();
      await eventually(() => traffic.request(), isFine);
      await sleep(2000);
      await traffic.step("before", async () => undefined);
      await desk.set(`MESHJOIN_ISTIO_HUB=${MIRROR_HUB}`);
      const before = await podsOf(reader);
      const step = await traffic.step("silent", async () => {
        await setFault(fleet, { target: target.clusterId, kind: "refuse" });
        const { pairs } = await status(fleet);
        expect(pairs.map((pair) => pair.status)).toEqual(["unknown", "unknown"]);
        const waiting = await desk.run("meshjoin sync");
        expect(waiting.out).toContain("RollOutWaits");
        expect(waiting.out).toContain(`--cluster ${reader.clusterId} --confirm RollOutWaits`);
        expect(waiting.code).toBe(3);
      });
      expect(step).toMatchObject(NONE_FAILED);
      expect(step.requests).toBeGreaterThan(50);
      expect(await podsOf(reader)).toBe(before);
    },
    SCENARIO_MS,
  );

  it(
    "26.3 loses its pods where a person confirms that: so the wait is for something",
    async () => {
      const [reader] = two();
      const before = await podsOf(reader);
      await desk.run(`meshjoin sync --cluster ${reader.clusterId} --confirm RollOutWaits`);
      expect(await podsOf(reader)).not.toBe(before);
      const lost = await eventually(
        () => traffic.request(),
        ({ status: is }) => is !== 200,
      );
      expect(lost).toMatchObject({ status: 503, body: "no healthy upstream" });
    },
    SCENARIO_MS,
  );

  it(
    "26.4 has them again when it answers, and the roll-out goes on",
    async () => {
      const { fleet } = world;
      const members = membersOf(fleet);
      await clearFaults(fleet);
      expect(await eventually(() => traffic.request(), isFine)).toMatchObject({ status: 200 });
      const before = await Promise.all(members.map((member) => podsOf(member)));
      // The functions install from the hub that they know, so this takes the first back.
      const last = await eventually(
        () => sync(fleet),
        ({ status: code }) => code === 200,
      );
      expect(last.body.findings.map(({ reason }) => reason)).not.toContain("RollOutWaits");
      const after = await Promise.all(members.map((member) => podsOf(member)));
      expect(after[0]).not.toBe(before[0]);
      // Their istiods are others now.
      await expectPaired(membersOf(fleet));
      expect(await eventually(() => traffic.request(), isFine)).toMatchObject({ status: 200 });
    },
    SCENARIO_MS,
  );
});

describe("a member whose istiod is gone", () => {
  it(
    "26.5 serves until its certificates end; the finding says before that by when, and its cure lets all pass again",
    async () => {
      const { fleet } = world;
      const [, target] = two();
      // Of one that has not been available for longer than a minute nobody could tell since when it is not.
      await sleep(Math.max(0, (await availableSince(target)) + 75_000 - Date.now()));
      const failedBefore = traffic.counts().failed;
      const began = Date.now();
      await kubectl(target, ...ISTIOD, "scale", "deployment", "istiod", "--replicas=0");
      const look = async () =>
        (await sync(fleet)).body.members
          .flatMap(({ findings }) => findings)
          .find(({ reason }) => reason === "CertificatesEnd");
      const found = await eventually(look, (seen) => seen !== undefined);
      expect(found).toMatchObject({ severity: "error", clusterId: target.clusterId });
      const times = timesIn(found?.message ?? "");
      expect(times).toHaveLength(3);
      const [since = 0, first = 0, all = 0] = times;
      // Two of the pairs are those that their istiods still call synced: that is no evidence.
      const seen = await status(fleet);
      expect(seen.members.find(({ clusterId }) => clusterId === target.clusterId)?.findings).toContainEqual(
        found,
      );
      expect(traffic.counts().failed).toBe(failedBefore);
      expect(Date.now() - began).toBeLessThan(LEFT_MS);

      const failed = await eventually(
        async () => ({ ...traffic.counts(), at: Date.now() }),
        (counts) => counts.failed > failedBefore,
        2 * LIFE_MS,
      );
      expect(failed.failed).toBeGreaterThan(failedBefore);
      expect(failed.at - began).toBeGreaterThan(LEFT_MS - 1000);
      // The message rounds to minutes, and has a minute of reserve, each time to the safe side.
      expect(Math.abs(since - began)).toBeLessThanOrEqual(60_000);
      expect(first).toBeLessThanOrEqual(failed.at);
      expect(first).toBeGreaterThan(began + LEFT_MS - 121_000);
      expect(all).toBeGreaterThanOrEqual(failed.at - 1000);
      expect(all).toBeLessThanOrEqual(began + LIFE_MS + 150_000);

      // The sandbox names a context after its cluster, and gcloud otherwise.
      const cure = (found?.cure ?? "").replace(/--context \S+/, `--context ${target.clusterId}`);
      expect(await desk.run(cure)).toMatchObject({ code: 0 });
      expect(await eventually(() => traffic.request(), isFine)).toMatchObject({ status: 200 });
      expect(await eventually(look, (still) => still === undefined)).toBeUndefined();
      await expectPaired(membersOf(fleet));
    },
    SCENARIO_MS,
  );
});

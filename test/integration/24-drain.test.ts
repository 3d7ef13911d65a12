import { execFile } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { shellLine } from "../../sandbox/fleet/command-line.ts";
import type { FleetMember } from "../../sandbox/google/member.ts";
import { memberApi } from "../../sandbox/traffic/member-api.ts";
import { type Counted, type Spread, startSpread } from "../../sandbox/traffic/spread.ts";
import { place } from "./world/command-line.ts";
import { MESH_LABEL, membersOf, SCENARIO_MS, useFleet } from "./world/fleet.ts";
import { setFault, setLabels } from "./world/google.ts";
import { kubectl } from "./world/kubectl.ts";
import { eventually } from "./world/mesh.ts";
import { status, sync } from "./world/sync-mesh.ts";

/** Without failover requests go to both members alike, and no proxy leaves a dead endpoint out by itself. */
const world = useFleet({
  members: 2,
  networks: 2,
  traffic: true,
  env: {
    MESHJOIN_CONNECTED_NETWORKS: "meshjoin-sandbox.default+meshjoin-sandbox.network-2",
    MESHJOIN_FAILOVER: "off",
  },
});
/** `own` has the client; `afar` is behind a gateway. */
let own: FleetMember;
let afar: FleetMember;
let spread: Spread;

/** Proxies learn of a change within this time. */
const SETTLE_MS = 2000;
const FLOW_MS = 2500;
/** It is the last one that serves in its network. */
const CONFIRMED = ["--yes", "--confirm", "MassDrain"] as const;

beforeAll(async () => {
  const { fleet } = world;
  const [first, second] = membersOf(fleet);
  if (first === undefined || second === undefined) throw new Error("the fleet lacks a member");
  [own, afar] = [first, second];
  spread = await startSpread(fleet);
}, SCENARIO_MS);

afterAll(async () => {
  await spread.stop();
});

/** Fails with its output where it does not exit with 0. */
async function meshjoin(...args: readonly string[]): Promise<string> {
  const { fleet } = world;
  return (await promisify(execFile)("sh", shellLine(fleet, args), await place(fleet))).stdout;
}

async function expectEndpointsIn(...members: readonly FleetMember[]): Promise<void> {
  const names = members.map(({ name }) => name).toSorted();
  const seen = async () => Object.keys(await spread.priorities()).toSorted();
  expect(await eventually(seen, (each) => each.join() === names.join())).toEqual(names);
}

/** All that went out while the work was done, by each kind of client. */
async function under(work: () => Promise<void>): Promise<Readonly<Record<string, Counted>>> {
  const kinds = { new: {}, keepAlive: { keepsAlive: true }, slow: { isSlow: true } };
  const begun = Object.entries(kinds).map(([kind, how]) => [kind, spread.begin(how)] as const);
  await sleep(FLOW_MS);
  let counted: (readonly [string, Counted])[] = [];
  try {
    await work();
    await sleep(FLOW_MS);
  } finally {
    counted = await Promise.all(begun.map(async ([kind, sending]) => [kind, await sending.stop()] as const));
  }
  return Object.fromEntries(counted);
}

/** Requests that ended otherwise than with 200. */
const failed = (counted: Counted) =>
  Object.entries(counted).reduce((sum, [key, count]) => sum + (/^\d+ /.test(key) ? count : 0), 0);

async function drainOf({ clusterId }: FleetMember) {
  const { members, pairs } = await status(world.fleet);
  const rows = pairs.filter(({ target }) => target === clusterId);
  return { drain: members.find((each) => each.clusterId === clusterId)?.drain, rows };
}

/** Each request is a connection of its own to the server, too. */
async function withoutReuse(): Promise<void> {
  const apiVersion = "networking.istio.io/v1";
  await memberApi(own).create(`/apis/${apiVersion}/namespaces/shop/destinationrules`, {
    apiVersion,
    kind: "DestinationRule",
    metadata: { name: "spread", namespace: "shop" },
    spec: {
      host: "spread",
      trafficPolicy: { connectionPool: { http: { maxRequestsPerConnection: 1 } } },
    },
  });
  await sleep(SETTLE_MS);
}

describe("a member of another network that is drained", () => {
  it(
    "24.1 loses its requests and gets them back, and none of them fails; every run in between leaves it drained",
    async () => {
      await expectEndpointsIn(own, afar);
      for (const isReused of [true, false]) {
        if (!isReused) await withoutReuse();
        const counted = await under(async () => {
          const said = await meshjoin("drain", afar.clusterId, "--reason", "node upgrade", ...CONFIRMED);
          expect(said).toContain("is drained: no peer reads it");
          await expectEndpointsIn(own);
          await sleep(SETTLE_MS);
          expect(Object.keys(await spread.send(FLOW_MS))).toEqual([own.name]);
          expect((await sync(world.fleet, { deep: true })).body).toMatchObject({ outcome: "unchanged" });
          expect(await drainOf(afar)).toMatchObject({
            drain: { state: "present", reason: "node upgrade" },
            rows: [{ isDue: false, probe: { state: "absentOnPurpose" }, status: "missing" }],
          });
          expect(await meshjoin("undrain", afar.clusterId, "--yes")).toContain("serves again");
          await expectEndpointsIn(own, afar);
        });
        for (const kind of Object.values(counted)) {
          expect(kind).toEqual({ [own.name]: expect.any(Number), [afar.name]: expect.any(Number) });
        }
      }
      await kubectl(own, "-n", "shop", "delete", "destinationrule", "spread");
      await sync(world.fleet);
      const notes = await kubectl(
        own,
        "-n",
        "istio-system",
        "get",
        "secrets",
        "-l",
        "meshjoin.dev/drain",
        "-o",
        "name",
      );
      expect(notes).toBe("");
    },
    SCENARIO_MS,
  );

  it(
    "24.2 is drained by its label, once a person confirms the last of a network, and undrain takes the label off",
    async () => {
      const { fleet } = world;
      await setLabels(fleet, afar, { ...MESH_LABEL, mesh_state: "drained" });
      await fleet.waitUntilDelivered();
      const { body } = await sync(fleet);
      expect(body.findings.map(({ reason }) => reason)).toContain("MassDrain");
      expect((await drainOf(afar)).drain).toEqual({ state: "none" });
      await sync(fleet, { confirm: ["MassDrain"] });
      await expectEndpointsIn(own);
      expect((await drainOf(afar)).drain).toMatchObject({ state: "present", by: "label" });
      await meshjoin("undrain", afar.clusterId, "--yes");
      await expectEndpointsIn(own, afar);
      expect(membersOf(fleet).find(({ name }) => name === afar.name)?.labels).toEqual(MESH_LABEL);
      await sync(fleet);
      await expectEndpointsIn(own, afar);
    },
    SCENARIO_MS,
  );

  it(
    "24.3 may be dead: requests to it fail until the drain, which needs nothing of it",
    async () => {
      const { fleet } = world;
      await setFault(fleet, { target: afar.clusterId, kind: "refuse" });
      await spread.servers.get(afar.name)?.stopSidecar();
      await sleep(SETTLE_MS);
      const control = await spread.send(FLOW_MS);
      expect(failed(control)).toBeGreaterThan(10);
      const checked = await meshjoin("drain", afar.clusterId, "--check");
      expect(checked).toContain("does not answer: what enters it from outside");
      await meshjoin("drain", afar.clusterId, ...CONFIRMED);
      await expectEndpointsIn(own);
      await sleep(SETTLE_MS);
      const after = await spread.send(FLOW_MS);
      expect(after).toEqual({ [own.name]: expect.any(Number) });
      await sync(fleet);
      expect(await spread.send(FLOW_MS)).toEqual({ [own.name]: expect.any(Number) });
    },
    SCENARIO_MS,
  );
});

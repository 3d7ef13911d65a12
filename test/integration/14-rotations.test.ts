import { describe, expect, it } from "@jest/globals";
import { counting } from "../support/logging/metrics.ts";
import { membersOf, SCENARIO_MS, useFleet } from "./world/fleet.ts";
import { aliasRoots, clearFaults, rootVersions, setFault } from "./world/google.ts";
import { snapshot } from "./world/kubectl.ts";
import { loggedEntries } from "./world/logged.ts";
import { eventually, expectPaired, joined } from "./world/mesh.ts";
import { pushRotation, rotationLog, serials, tickUntil, trusted } from "./world/rotation.ts";
import { status, sync } from "./world/sync-mesh.ts";
import { countWrites, killAtWrite } from "./world/writes.ts";

/** A stage lasts as long as a certificate of a workload may live. */
const world = useFleet({
  members: 2,
  env: { MESHJOIN_WORKLOAD_TTL: "8s", MESHJOIN_CLOCK_SKEW: "1s", MESHJOIN_INTERMEDIATE_TTL: "1h" },
});

/** Every istiod serves what was written for it, and every pair is synced. */
async function expectServed(): Promise<void> {
  const { members } = await status(world.fleet);
  for (const { intermediate } of members) {
    expect(intermediate.loaded).toEqual([
      expect.objectContaining({ fingerprint: intermediate.written?.fingerprint }),
    ]);
  }
  await expectPaired(membersOf(world.fleet));
}

/** So many roots at each member; istiod publishes them a moment after it serves them. */
async function expectTrusted(expected: readonly number[]): Promise<void> {
  const look = () => trusted(world.fleet);
  expect(await eventually(look, (seen) => String(seen) === String(expected))).toEqual(expected);
}

const snapshots = () => Promise.all(membersOf(world.fleet).map((member) => snapshot(member)));
const order = (data: object) => pushRotation(world.fleet, { data });

describe("14.1 intermediates", () => {
  it(
    "are all replaced by a message, once, however often it comes",
    async () => {
      const { fleet } = world;
      const before = await serials(fleet);
      const publishTime = new Date().toISOString();
      const message = { data: { kind: "intermediate", scope: "mesh", reason: "manual" }, publishTime };
      expect(await pushRotation(fleet, message)).toBe(204);
      const after = await serials(fleet);
      expect(Object.keys(after).filter((id) => after[id] === before[id])).toEqual([]);
      await expectServed();

      const settled = await snapshots();
      expect(await pushRotation(fleet, message)).toBe(204);
      expect(await Promise.all([pushRotation(fleet, message), pushRotation(fleet, message)])).toEqual([
        204, 204,
      ]);
      expect(await snapshots()).toEqual(settled);
    },
    SCENARIO_MS,
  );

  it(
    "of one compromised cluster are replaced without the others",
    async () => {
      const { fleet } = world;
      const [first] = membersOf(fleet);
      const before = await serials(fleet);
      const scope = { clusterId: first?.clusterId };
      expect(await order({ kind: "intermediate", scope, reason: "compromise" })).toBe(204);
      const after = await serials(fleet);
      expect(Object.keys(after).filter((id) => after[id] !== before[id])).toEqual([first?.clusterId]);
      await expectServed();
    },
    SCENARIO_MS,
  );

  it("are left alone by messages that cannot be understood, which are logged by the field and done with", async () => {
    const { fleet } = world;
    const before = await snapshots();
    const bad = ["", "{", { kind: "intermediate", scope: "everything", reason: "manual" }];
    for (const data of bad) expect(await pushRotation(fleet, { data })).toBe(204);
    const lines = (await rotationLog(fleet)).filter(({ code }) => code === "MessageNotUnderstood");
    expect(lines.map(({ severity }) => severity)).toEqual(["ERROR", "ERROR", "ERROR"]);
    expect(await snapshots()).toEqual(before);
  });

  it(
    "are all replaced although the function dies, when the message comes again",
    async () => {
      const { fleet } = world;
      const before = await serials(fleet);
      const publishTime = new Date().toISOString();
      const message = { data: { kind: "intermediate", scope: "mesh", reason: "manual" }, publishTime };
      const deliver = () => pushRotation(fleet, message).catch(() => 0);
      const death = await killAtWrite(fleet, 1, deliver, "on-rotation-request");
      expect(death.status).toBe(0);
      expect(await eventually(deliver, (answer) => answer === 204)).toBe(204);
      const after = await serials(fleet);
      expect(Object.keys(after).filter((id) => after[id] === before[id])).toEqual([]);
      await expectServed();
    },
    SCENARIO_MS,
  );
});

describe("14.2 a root rotation", () => {
  it(
    "goes from stage to stage by ticks; a latecomer gets the stage, and an unreachable member holds it",
    async () => {
      const { fleet } = world;
      const publishTime = new Date().toISOString();
      const start = { data: { kind: "root", action: "start" }, publishTime };
      expect(await pushRotation(fleet, start)).toBe(204);
      expect(await pushRotation(fleet, start)).toBe(204);
      expect(await rootVersions(fleet)).toEqual({ 1: true, 2: true });
      await expectTrusted([2, 2]);
      const latecomer = await fleet.createCluster("latecomer");
      await joined(fleet);
      await expectTrusted([2, 2, 2]);

      expect(await tickUntil(fleet, "switch")).toBe("switch");
      await expectServed();
      await setFault(fleet, { target: latecomer.clusterId, kind: "refuse" });
      const { rotation } = await status(fleet);
      expect(rotation).toMatchObject({
        stage: "switch",
        waitingFor: [`${latecomer.clusterId} cannot be reached`],
        until: null,
      });
      await order({ kind: "root", action: "advance" });
      expect((await status(fleet)).rotation.stage).toBe("switch");
      await clearFaults(fleet);

      expect(await tickUntil(fleet, "retire")).toBe("retire");
      await expectServed();
      await expectTrusted([1, 1, 1]);
      expect(await rootVersions(fleet)).toEqual({ 1: true, 2: true });
      expect(await tickUntil(fleet, "idle")).toBe("idle");
      expect(await rootVersions(fleet)).toEqual({ 1: false, 2: true });
      await expectServed();
      await fleet.deleteCluster(latecomer.name);
      await sync(fleet);
      // Another outcome of the tick, and the end of a trouble, are news for the record.
      await order({ kind: "tick" });
      const settled = await snapshots();
      const writes = await countWrites(fleet, fleet.accounts.rotator);
      await order({ kind: "tick" });
      expect(await snapshots()).toEqual(settled);
      expect(await countWrites(fleet, fleet.accounts.rotator)).toBe(writes);
    },
    2 * SCENARIO_MS,
  );

  it(
    "is taken back from its second stage the same way, and what somebody does to the aliases meanwhile changes no member",
    async () => {
      const { fleet } = world;
      await order({ kind: "root", action: "start" });
      const before = await serials(fleet);
      await aliasRoots(fleet, { signing: "3", previous: "2" });
      const { body } = await sync(fleet);
      expect(body.members.map(({ findings }) => findings.map(({ reason }) => reason))).toEqual([
        ["RootNotDistributed"],
        ["RootNotDistributed"],
      ]);
      expect(await serials(fleet)).toEqual(before);
      await aliasRoots(fleet, { signing: "2", next: "3" });

      expect(await tickUntil(fleet, "switch")).toBe("switch");
      await order({ kind: "root", action: "abort" });
      await expectServed();
      await Promise.all([order({ kind: "tick" }), order({ kind: "tick" })]);
      expect(await tickUntil(fleet, "retire")).toBe("retire");
      expect(await tickUntil(fleet, "idle")).toBe("idle");
      expect(await rootVersions(fleet)).toEqual({ 1: false, 2: true, 3: false });
      await expectTrusted([1, 1]);
      await expectServed();
    },
    2 * SCENARIO_MS,
  );
});

it("14.3 the log-based metrics count what has happened, and nothing that has not", async () => {
  const entries = await loggedEntries(world.fleet);
  expect(counting(entries).toSorted()).toEqual([
    "error-finding",
    "full-run",
    "rotation-waits",
    "tick",
    "unexpected-error",
  ]);
  const { meshId, members } = world.fleet.file();
  const labels = entries.map(({ jsonPayload }) =>
    Reflect.get(Object(jsonPayload), "logging.googleapis.com/labels"),
  );
  expect(labels).toContainEqual(expect.objectContaining({ mesh_id: meshId }));
  expect(labels).toContainEqual(
    expect.objectContaining({ mesh_id: meshId, cluster_id: members[0]?.clusterId }),
  );
});

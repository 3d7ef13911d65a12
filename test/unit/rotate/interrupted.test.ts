import { describe, expect, it } from "@jest/globals";
import type { Stage } from "../../../shared/core/roots/stages.ts";
import { orderRoot, rotateIntermediates, tick } from "../../../shared/rotate/rotate.ts";
import { ProcessDeath, type ProcessFaults, processFaults } from "../../support/fakes/member-api/faults.ts";
import type { FakeMesh } from "../../support/fakes/mesh.ts";
import { expectJoined, versionsOf } from "../reconcile/world.ts";
import { aJoinedMesh, bundleSizes, order, rootsNow, STAGE, throughStage, ticks } from "./world.ts";

interface Scenario {
  readonly start: () => Promise<FakeMesh>;
  /** One delivery of the same message; `given` is when it was published. */
  readonly deliver: (mesh: FakeMesh, given: Date, faults?: ProcessFaults) => Promise<unknown>;
  readonly ends: Stage;
}

/** A mesh whose rotation is about to leave this stage. */
async function atEndOf(stage: Stage): Promise<FakeMesh> {
  const mesh = await aJoinedMesh();
  await order(mesh, "start");
  while ((await rootsNow(mesh)).stage !== stage) await throughStage(mesh);
  await ticks(mesh);
  mesh.clock.advance(STAGE);
  return mesh;
}

const tickOf: Scenario["deliver"] = (mesh, _, faults) => tick(mesh.run(faults && { faults }));
const orderOf =
  (action: "start" | "abort"): Scenario["deliver"] =>
  async (mesh, givenAt, faults) => {
    await orderRoot(mesh.run(faults && { faults }), { action, givenAt });
    return await tick(mesh.run(faults && { faults }));
  };

const SCENARIOS: readonly [string, Scenario][] = [
  [
    "all intermediates are replaced",
    {
      start: () => aJoinedMesh({ members: 3 }),
      deliver: (mesh, givenAt, faults) =>
        rotateIntermediates(mesh.run(faults && { faults }), { scope: "mesh", reason: "manual", givenAt }),
      ends: "idle",
    },
  ],
  ["a root rotation begins", { start: aJoinedMesh, deliver: orderOf("start"), ends: "distribute" }],
  ["the other root begins to sign", { start: () => atEndOf("distribute"), deliver: tickOf, ends: "switch" }],
  ["the old root leaves", { start: () => atEndOf("switch"), deliver: tickOf, ends: "retire" }],
  ["the old root is disabled", { start: () => atEndOf("retire"), deliver: tickOf, ends: "idle" }],
  ["a rotation is taken back", { start: () => atEndOf("switch"), deliver: orderOf("abort"), ends: "switch" }],
];

async function world(scenario: Scenario) {
  const mesh = await scenario.start();
  mesh.clock.advance(1);
  const givenAt = mesh.clock.now();
  mesh.clock.advance(1);
  return { mesh, givenAt };
}

async function writesOf(scenario: Scenario): Promise<number> {
  const { mesh, givenAt } = await world(scenario);
  const faults = processFaults();
  await scenario.deliver(mesh, givenAt, faults);
  return faults.writes;
}

/** The stage that an undisturbed run comes to, in every member, and nothing left to do. */
async function expectDone(mesh: FakeMesh, givenAt: Date, { deliver, ends }: Scenario): Promise<void> {
  expect((await rootsNow(mesh)).stage).toBe(ends);
  expect(new Set(bundleSizes(mesh)).size).toBe(1);
  await expectJoined(mesh);
  const before = versionsOf(mesh);
  const { annotations, versions } = await mesh.roots.state();
  await deliver(mesh, givenAt);
  expect(versionsOf(mesh)).toEqual(before);
  expect(await mesh.roots.state()).toMatchObject({ annotations, versions });
}

describe.each(SCENARIOS)("when %s", (_, scenario) => {
  it.each(["dieAfter", "dieBefore", "loseAnswer"] as const)("%s at any write is made good", async (fault) => {
    const writes = await writesOf(scenario);
    expect(writes).toBeGreaterThan(1);
    for (let k = 1; k <= writes; k += 1) {
      const { mesh, givenAt } = await world(scenario);
      const faults = processFaults();
      faults.onWrite(k, fault);
      await scenario.deliver(mesh, givenAt, faults).catch((error: unknown) => {
        if (fault !== "loseAnswer" && !(error instanceof ProcessDeath)) throw error;
      });
      await scenario.deliver(mesh, givenAt);
      await expectDone(mesh, givenAt, scenario);
    }
  });
});

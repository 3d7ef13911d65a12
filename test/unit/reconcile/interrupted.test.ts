import { describe, expect, it } from "@jest/globals";
import type { Reconciled } from "../../../shared/reconcile.ts";
import { aCluster } from "../../support/builders/cluster.ts";
import { ProcessDeath, type ProcessFaults, processFaults } from "../../support/fakes/member-api/faults.ts";
import { aMesh, type FakeMesh } from "../../support/fakes/mesh.ts";
import { expectJoined, stateOf, versionsOf } from "./world.ts";

interface Scenario {
  readonly start: () => Promise<FakeMesh>;
  readonly deliver: (mesh: FakeMesh, faults?: ProcessFaults) => Promise<Reconciled>;
}

const THIRD = aCluster({ name: "m3" });

const SCENARIOS: readonly [string, Scenario][] = [
  [
    "a third member joins two",
    {
      async start() {
        const mesh = await aMesh({ members: 2 });
        await mesh.reconcile("mesh");
        mesh.add(THIRD);
        return mesh;
      },
      deliver: (mesh, faults) => mesh.join(THIRD, faults && { faults }),
    },
  ],
  [
    "two members join in one run",
    {
      start: () => aMesh({ members: 2 }),
      deliver: (mesh, faults) => mesh.reconcile("mesh", faults && { faults }),
    },
  ],
];

async function undisturbed({ start, deliver }: Scenario) {
  const mesh = await start();
  const faults = processFaults();
  await deliver(mesh, faults);
  return { state: stateOf(mesh), writes: faults.writes };
}

/** Whole, valid, equal to what an undisturbed run leaves, and with nothing left to do. */
async function expectAsUndisturbed(mesh: FakeMesh, state: readonly unknown[], { deliver }: Scenario) {
  expect(stateOf(mesh)).toEqual(state);
  await expectJoined(mesh);
  const before = versionsOf(mesh);
  expect((await deliver(mesh)).summary.outcome).toBe("unchanged");
  expect(versionsOf(mesh)).toEqual(before);
}

describe.each(SCENARIOS)("when %s", (_, scenario) => {
  it("a death after any write is made good by the next delivery", async () => {
    const { state, writes } = await undisturbed(scenario);
    expect(writes).toBeGreaterThan(20);
    for (let k = 1; k <= writes; k += 1) {
      const mesh = await scenario.start();
      const faults = processFaults();
      faults.onWrite(k, "dieAfter");
      await expect(scenario.deliver(mesh, faults)).rejects.toThrow(ProcessDeath);
      const { retry, errors } = await scenario.deliver(mesh);
      expect({ k, retry, errors }).toEqual({ k, retry: false, errors: [] });
      await expectAsUndisturbed(mesh, state, scenario);
    }
  });

  it("an answer to any write that is lost is made good by the next delivery", async () => {
    const { state, writes } = await undisturbed(scenario);
    for (let k = 1; k <= writes; k += 1) {
      const mesh = await scenario.start();
      const faults = processFaults();
      faults.onWrite(k, "loseAnswer");
      await scenario.deliver(mesh, faults);
      const { retry, errors } = await scenario.deliver(mesh);
      expect({ k, retry, errors }).toEqual({ k, retry: false, errors: [] });
      await expectAsUndisturbed(mesh, state, scenario);
    }
  });

  it("any death and another at any later write are made good too", async () => {
    const { state, writes } = await undisturbed(scenario);
    for (let k = 1; k < writes; k += 3) {
      const mesh = await scenario.start();
      for (const at of [k, 1 + (k % 5)]) {
        const faults = processFaults();
        faults.onWrite(at, "dieAfter");
        await scenario.deliver(mesh, faults).catch((error: unknown) => {
          if (!(error instanceof ProcessDeath)) throw error;
        });
      }
      await scenario.deliver(mesh);
      await expectAsUndisturbed(mesh, state, scenario);
    }
  });
});

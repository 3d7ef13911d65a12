import { describe, expect, it } from "@jest/globals";
import { clusterId } from "../../../shared/core/names.ts";
import { rotateIntermediates } from "../../../shared/rotate/rotate.ts";
import { aCluster } from "../../support/builders/cluster.ts";
import type { FakeMesh } from "../../support/fakes/mesh.ts";
import { aJoinedMesh, DAY, order, rootsNow, STAGE, ticks } from "./world.ts";

const HALF_DAY = DAY / 2;

/** Ticks every twelve hours, with something that happens before each; how many until the rotation is over. */
async function halfDaysUntilIdle(mesh: FakeMesh, happens: (count: number) => Promise<unknown>) {
  await order(mesh, "start");
  await ticks(mesh);
  for (let count = 1; count <= 16; count += 1) {
    mesh.clock.advance(HALF_DAY);
    await happens(count);
    await ticks(mesh);
    if ((await rootsNow(mesh)).stage === "idle") return count;
  }
  return "never";
}

/**
 * A member that has just got the bundle, a minute before the stage would be over, holds it for a stage of its
 * own.
 */
async function expectToHoldStage(mesh: FakeMesh): Promise<void> {
  await ticks(mesh);
  mesh.clock.advance(120);
  await ticks(mesh);
  expect((await rootsNow(mesh)).stage).toBe("distribute");
  mesh.clock.advance(STAGE);
  await ticks(mesh);
  expect((await rootsNow(mesh)).stage).toBe("switch");
}

describe("a root rotation", () => {
  it("is over as soon as it would be when a cluster joins every twelve hours", async () => {
    const alone = await halfDaysUntilIdle(await aJoinedMesh(), async () => undefined);
    const mesh = await aJoinedMesh();
    const joins = async (count: number) => {
      const cluster = aCluster({ name: `newcomer-${count}` });
      mesh.add(cluster);
      await mesh.join(cluster);
    };
    expect(await halfDaysUntilIdle(mesh, joins)).toBe(alone);
  });

  it("is held by a member whose namespace was made anew within the stage as by any other", async () => {
    const mesh = await aJoinedMesh({ members: 3 });
    await order(mesh, "start");
    await ticks(mesh);
    mesh.clock.advance(STAGE - 60);
    const { store } = mesh.servers[2]!;
    store.delete({ apiVersion: "v1", kind: "Namespace", name: "istio-system" });
    await expectToHoldStage(mesh);
  });

  it("is not prolonged by intermediates that are issued anew for the same roots", async () => {
    const alone = await halfDaysUntilIdle(await aJoinedMesh(), async () => undefined);
    const mesh = await aJoinedMesh();
    const reissue = async () => {
      const request = { scope: "mesh", reason: "manual", givenAt: mesh.clock.now() } as const;
      await rotateIntermediates(mesh.run(), request);
    };
    expect(await halfDaysUntilIdle(mesh, reissue)).toBe(alone);
  });

  it("is held by a cluster that comes back with a certificate of before, until it has loaded this stage's", async () => {
    const mesh = await aJoinedMesh({ members: 3 });
    const [away] = mesh.clusters;
    mesh.directory.put({ ...away!, labels: {} });
    await mesh.reconcile("mesh", { leaving: [clusterId(away!.ref)] });
    await order(mesh, "start");
    await ticks(mesh);
    mesh.clock.advance(STAGE - 60);
    mesh.directory.put(away!);
    await expectToHoldStage(mesh);
  });

  it("whose stage takes more than two lives is said to be overdue by every tick, and not before", async () => {
    const mesh = await aJoinedMesh();
    await order(mesh, "start");
    await ticks(mesh);
    mesh.servers[1]!.faults.unreachable = true;
    const said = async () =>
      (await ticks(mesh)).summary.findings.some(({ reason }) => reason === "StageOverdue");
    mesh.clock.advance(1.9 * DAY);
    expect(await said()).toBe(false);
    mesh.clock.advance(0.2 * DAY);
    expect([await said(), await said()]).toEqual([true, true]);
    mesh.servers[1]!.faults.unreachable = false;
    await ticks(mesh);
    expect(await said()).toBe(false);
  });
});

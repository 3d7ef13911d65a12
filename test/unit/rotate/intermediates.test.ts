import { describe, expect, it } from "@jest/globals";
import { clusterId } from "../../../shared/core/names.ts";
import type { Progress } from "../../../shared/progress.ts";
import { rotateIntermediates } from "../../../shared/rotate/rotate.ts";
import { ProcessDeath, processFaults } from "../../support/fakes/member-api/faults.ts";
import type { FakeMesh, ProcessOptions } from "../../support/fakes/mesh.ts";
import { expectJoined, inLockstep, versionsOf } from "../reconcile/world.ts";
import { aJoinedMesh, DAY, serials } from "./world.ts";

type Reason = "scheduled" | "manual" | "compromise";

/** As a message says it that was published a second after what was before. */
async function rotate(mesh: FakeMesh, reason: Reason, process?: ProcessOptions) {
  mesh.clock.advance(1);
  const givenAt = mesh.clock.now();
  mesh.clock.advance(1);
  return await rotateIntermediates(mesh.run(process), { scope: "mesh", reason, givenAt });
}

/** Cluster IDs of the members that got another intermediate since, in the order of their names. */
function renewedSince(mesh: FakeMesh, before: readonly (string | undefined)[]): string[] {
  const now = serials(mesh);
  return mesh.clusters.flatMap(({ ref }, index) => (now[index] === before[index] ? [] : [clusterId(ref)]));
}

const reasonsOf = (findings: readonly { readonly reason: string }[]) => findings.map(({ reason }) => reason);

describe("intermediates", () => {
  it("are renewed when two thirds of their life are over, and no sooner", async () => {
    const mesh = await aJoinedMesh({ members: 3 });
    const before = serials(mesh);
    mesh.clock.advance(50 * DAY);
    await mesh.reconcile("mesh");
    expect(renewedSince(mesh, before)).toEqual([]);
    mesh.clock.advance(11 * DAY);
    const { summary } = await mesh.reconcile("mesh");
    expect(summary.members.map(({ outcome }) => outcome)).toEqual(["updated", "updated", "updated"]);
    expect(renewedSince(mesh, before)).toHaveLength(3);
    await expectJoined(mesh);
    const versions = versionsOf(mesh);
    expect((await mesh.reconcile("mesh")).summary.outcome).toBe("unchanged");
    expect(versionsOf(mesh)).toEqual(versions);
  });

  it("are left alone by an event, which is about one cluster only", async () => {
    const mesh = await aJoinedMesh();
    const before = serials(mesh);
    mesh.clock.advance(70 * DAY);
    await mesh.join(mesh.clusters[0]!);
    expect(renewedSince(mesh, before)).toEqual([]);
  });

  it("are replaced a share of the members at a time, each seen to be served before the next", async () => {
    const mesh = await aJoinedMesh({ members: 4, spec: { rotationShare: 0.5 } });
    const steps: string[] = [];
    const report = ({ step, clusterId: id }: Progress) => {
      if (step === "issueIntermediate" || step === "certificateLoaded") steps.push(`${step} ${id}`);
    };
    inLockstep(mesh);
    await rotate(mesh, "manual", { report });
    const ids = mesh.clusters.map(({ ref }) => clusterId(ref));
    const batch = (step: string, from: number) => ids.slice(from, from + 2).map((id) => `${step} ${id}`);
    const sorted = (from: number) => steps.slice(from, from + 2).toSorted((a, b) => (a < b ? -1 : 1));
    expect([sorted(0), sorted(2), sorted(4), sorted(6)]).toEqual([
      batch("issueIntermediate", 0),
      batch("certificateLoaded", 0),
      batch("issueIntermediate", 2),
      batch("certificateLoaded", 2),
    ]);
    await expectJoined(mesh);
  });

  it("are not replaced after a member that does not come out whole, in this run or another", async () => {
    const mesh = await aJoinedMesh({ members: 3 });
    const before = serials(mesh);
    const [first] = mesh.clusters;
    const { istiod } = mesh.servers[0]!;
    istiod.reloadsAfterMs = Number.POSITIVE_INFINITY;
    const { retry } = await rotate(mesh, "manual", { signal: AbortSignal.timeout(400) });
    expect(retry).toBe(true);
    expect(renewedSince(mesh, before)).toEqual([clusterId(first!.ref)]);
    const stuck = await mesh.reconcile("mesh", { signal: AbortSignal.timeout(400) });
    expect(reasonsOf(stuck.summary.findings)).toContain("RotationHeld");
    expect(renewedSince(mesh, before)).toEqual([clusterId(first!.ref)]);

    istiod.reloadsAfterMs = 0;
    await mesh.reconcile("mesh");
    expect(renewedSince(mesh, before)).toHaveLength(3);
    await expectJoined(mesh);
  });

  it("are replaced all the same when they are about to expire", async () => {
    const mesh = await aJoinedMesh({ members: 2 });
    mesh.servers[0]!.faults.forbidden = ["portForward"];
    await rotate(mesh, "manual");
    const before = serials(mesh);
    mesh.clock.advance(65 * DAY);
    const { summary } = await mesh.reconcile("mesh");
    expect(reasonsOf(summary.findings)).toContain("RotationHeld");
    expect(renewedSince(mesh, before)).toEqual([]);
    mesh.clock.advance(15 * DAY);
    await mesh.reconcile("mesh");
    expect(renewedSince(mesh, before)).toContain(clusterId(mesh.clusters[1]!.ref));
  });

  it("are replaced once, though the order comes again and again", async () => {
    const mesh = await aJoinedMesh();
    mesh.clock.advance(1);
    const givenAt = mesh.clock.now();
    mesh.clock.advance(1);
    const message = { scope: "mesh", reason: "manual", givenAt } as const;
    await rotateIntermediates(mesh.run(), message);
    const versions = versionsOf(mesh);
    const notes = (await mesh.roots.state()).annotations;
    await Promise.all([rotateIntermediates(mesh.run(), message), rotateIntermediates(mesh.run(), message)]);
    expect(versionsOf(mesh)).toEqual(versions);
    expect((await mesh.roots.state()).annotations).toEqual(notes);
    expect(notes["meshjoin.dev_rotate-before"]).toBe(givenAt.toISOString());
  });

  it("are replaced by a later run where the one that was ordered to died", async () => {
    const mesh = await aJoinedMesh({ members: 3 });
    const before = serials(mesh);
    const faults = processFaults();
    faults.onWrite(1, "dieAfter");
    await expect(rotate(mesh, "manual", { faults })).rejects.toThrow(ProcessDeath);
    await mesh.reconcile("mesh");
    expect(renewedSince(mesh, before)).toHaveLength(3);
    await expectJoined(mesh);
  });

  it("of one cluster are replaced without the others, and without a note", async () => {
    const mesh = await aJoinedMesh({ members: 3 });
    const before = serials(mesh);
    mesh.clock.advance(1);
    const [first] = mesh.clusters;
    const scope = { clusterId: clusterId(first!.ref) };
    const givenAt = mesh.clock.now();
    mesh.clock.advance(1);
    await rotateIntermediates(mesh.run(), { scope, reason: "manual", givenAt });
    expect(renewedSince(mesh, before)).toEqual([clusterId(first!.ref)]);
    expect((await mesh.roots.state()).annotations).not.toHaveProperty("meshjoin.dev_rotate-before");
  });

  it("that are compromised are all replaced at once", async () => {
    const mesh = await aJoinedMesh({ members: 4 });
    let open = 0;
    let most = 0;
    const report = ({ step }: Progress) => {
      if (step === "issueIntermediate") open += 1;
      if (step === "certificateLoaded") open -= 1;
      most = Math.max(most, open);
    };
    inLockstep(mesh);
    await rotate(mesh, "compromise", { report });
    expect(most).toBe(4);
  });

  it("that are replaced side by side share a look, and what that look could not see is logged once", async () => {
    const mesh = await aJoinedMesh({ members: 3 });
    mesh.servers[0]!.faults.forbidden = ["portForward"];
    const { errors, summary } = await rotate(mesh, "compromise");
    expect(summary.members.map(({ outcome }) => outcome)).toEqual(["failed", "failed", "failed"]);
    expect(errors.map(({ code }) => code)).toEqual(["Forbidden", "Forbidden"]);
    expect(new Set(errors).size).toBe(errors.length);
  });

  it("are not replaced where another one would hardly last longer, and that is said", async () => {
    const mesh = await aJoinedMesh({ members: 1 });
    mesh.clock.advance(10 * 365 * DAY - 40 * DAY);
    await mesh.reconcile("mesh");
    const before = serials(mesh);
    mesh.clock.advance(30 * DAY);
    const { summary } = await mesh.reconcile("mesh");
    expect(reasonsOf(summary.members[0]?.findings ?? [])).toContain("RootExpiring");
    expect(serials(mesh)).toEqual(before);
  });
});

import { describe, expect, it } from "@jest/globals";
import { clusterId, remoteSecretName } from "../../../shared/core/names.ts";
import { UnavailableError } from "../../../shared/errors.ts";
import { preview } from "../../../shared/preview.ts";
import { changeRoots } from "../../../shared/rotate/change-roots.ts";
import { resumeWrites } from "../../../shared/rotate/pause-writes.ts";
import { orderRoot, rotateIntermediates, tick } from "../../../shared/rotate/rotate.ts";
import { collectStatus } from "../../../shared/status.ts";
import { aCluster } from "../../support/builders/cluster.ts";
import type { FakeMesh } from "../../support/fakes/mesh.ts";
import { expectJoined, versionsOf } from "../reconcile/world.ts";
import { aJoinedMesh, rootsNow } from "./world.ts";

const FUNCTION = { heedsPause: true };
const WHOLE = { scope: "mesh", reason: "test" } as const;

async function pause(mesh: FakeMesh): Promise<void> {
  await changeRoots(mesh.run(), ({ versions, notes }) => ({
    versions,
    notes: { ...notes, writesPaused: mesh.clock.now() },
    disable: [],
  }));
}

async function resume(mesh: FakeMesh): Promise<void> {
  await changeRoots(mesh.run(), ({ versions, notes: { writesPaused: _, ...notes } }) => ({
    versions,
    notes,
    disable: [],
  }));
}

/** A joined mesh with work to do: a new cluster, and a member that lost a remote secret. */
async function withWork(): Promise<FakeMesh> {
  const mesh = await aJoinedMesh();
  mesh.add(aCluster({ name: "m9" }));
  mesh.servers[0]!.store.delete({
    apiVersion: "v1",
    kind: "Secret",
    namespace: "istio-system",
    name: remoteSecretName(clusterId(mesh.clusters[1]!.ref)),
  });
  return mesh;
}

describe("while a person has paused the functions' writes", () => {
  it("an event, a full run and a tick write nothing, say so, and are not delivered again", async () => {
    const mesh = await withWork();
    await pause(mesh);
    const before = [versionsOf(mesh), mesh.roots.annotations];
    const runs = [
      await mesh.join(mesh.clusters.at(-1)!, FUNCTION),
      await mesh.reconcile("mesh", FUNCTION),
      (await tick(mesh.run(FUNCTION))).reconciled!,
    ];
    for (const { summary, retry } of runs) {
      expect(summary.outcome).toBe("waiting");
      expect(summary.findings.filter(({ severity }) => severity !== "info")).toMatchObject([
        { reason: "WritesPaused" },
      ]);
      expect(retry).toBe(false);
    }
    expect([versionsOf(mesh), mesh.roots.annotations]).toEqual(before);
  });

  it("a full run still reports what it sees, such as a lost member, for the alerts", async () => {
    const mesh = await aJoinedMesh();
    const [lost] = mesh.clusters;
    mesh.directory.put({ ...lost!, labels: {} });
    await pause(mesh);
    const before = versionsOf(mesh);
    const { summary } = await mesh.reconcile("mesh", FUNCTION);
    expect(summary.findings.map(({ reason }) => reason)).toContain("MemberLost");
    expect(versionsOf(mesh)).toEqual(before);
  });

  it("an order about the roots comes again, and changes nothing before", async () => {
    const mesh = await withWork();
    await pause(mesh);
    const before = [versionsOf(mesh), mesh.roots.annotations, await rootsNow(mesh)];
    const givenAt = mesh.clock.now();
    const again = { code: "WritesPaused", retryable: true };
    await expect(orderRoot(mesh.run(FUNCTION), { action: "start", givenAt })).rejects.toMatchObject(again);
    await expect(
      rotateIntermediates(mesh.run(FUNCTION), { scope: "mesh", reason: "manual", givenAt }),
    ).rejects.toMatchObject(again);
    expect([versionsOf(mesh), mesh.roots.annotations, await rootsNow(mesh)]).toEqual(before);
  });

  it("nothing is removed either when the root secret, which holds the note, cannot be read", async () => {
    const mesh = await aJoinedMesh();
    mesh.directory.delete(mesh.clusters[0]!.ref);
    await pause(mesh);
    const before = versionsOf(mesh);
    mesh.roots.failNext(new UnavailableError("no answer", { code: "Unavailable" }));
    await expect(mesh.reconcile("mesh", FUNCTION)).rejects.toMatchObject({ code: "Unavailable" });
    expect(versionsOf(mesh)).toEqual(before);
  });

  it("an order for the intermediate of one member comes again", async () => {
    const mesh = await aJoinedMesh();
    await pause(mesh);
    const before = versionsOf(mesh);
    const scope = { clusterId: clusterId(mesh.clusters[0]!.ref) };
    await expect(
      rotateIntermediates(mesh.run(FUNCTION), { scope, reason: "manual", givenAt: mesh.clock.now() }),
    ).rejects.toMatchObject({ code: "WritesPaused", retryable: true });
    expect(versionsOf(mesh)).toEqual(before);
  });

  it.each(["", "yes", "2026-13-40T00:00:00Z"])("a note that reads %j holds all writes", async (note) => {
    const mesh = await withWork();
    mesh.roots.setAnnotations({ ...mesh.roots.annotations, "meshjoin.dev_writes-paused": note });
    const before = versionsOf(mesh);
    const { summary } = await mesh.reconcile("mesh", FUNCTION);
    expect(summary.findings.map(({ reason }) => reason)).toContain("WritesPaused");
    expect(versionsOf(mesh)).toEqual(before);
    await resumeWrites(mesh.run());
    await mesh.reconcile("mesh", FUNCTION);
    await expectJoined(mesh);
  });

  it("a person still writes", async () => {
    const mesh = await withWork();
    await pause(mesh);
    await mesh.reconcile("mesh");
    await expectJoined(mesh);
  });

  it("status and plan say it", async () => {
    const mesh = await withWork();
    await pause(mesh);
    const status = await collectStatus(mesh.run());
    expect(status.writesPaused).toBe(mesh.clock.now().toISOString());
    const plan = await preview(mesh.run(), WHOLE);
    for (const { findings } of [status, plan])
      expect(findings).toContainEqual(
        expect.objectContaining({ reason: "WritesPaused", cure: "meshjoin resume" }),
      );
  });

  it("the full run after the pause does all that was left", async () => {
    const mesh = await withWork();
    await pause(mesh);
    await mesh.reconcile("mesh", FUNCTION);
    await resume(mesh);
    await mesh.reconcile("mesh", FUNCTION);
    await expectJoined(mesh);
  });
});

describe("a paused root rotation", () => {
  it("is a warning of every full run, status and plan", async () => {
    const mesh = await aJoinedMesh();
    await orderRoot(mesh.run(), { action: "start", givenAt: mesh.clock.now() });
    mesh.clock.advance(1);
    await orderRoot(mesh.run(), { action: "pause", givenAt: mesh.clock.now() });
    const { summary } = await mesh.reconcile("mesh");
    const surfaces = [summary, await collectStatus(mesh.run()), await preview(mesh.run(), WHOLE)];
    for (const { findings } of surfaces) {
      expect(findings).toContainEqual(
        expect.objectContaining({
          reason: "RotationPaused",
          severity: "warning",
          cure: "meshjoin root resume",
        }),
      );
    }
  });
});

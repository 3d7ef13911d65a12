import { describe, expect, it } from "@jest/globals";
import type { Diagnosis } from "../../../shared/core/answers/check.ts";
import { annotation, clusterId, drainNoteName, ISTIO_NAMESPACE } from "../../../shared/core/names.ts";
import type { DrainOrder } from "../../../shared/core/request.ts";
import { aMesh, type FakeMesh } from "../../support/fakes/mesh.ts";
import { versionsOf } from "../reconcile/world.ts";
import { call } from "./host.ts";

async function aJoinedMesh(): Promise<FakeMesh> {
  const mesh = await aMesh({ members: 3 });
  await mesh.reconcile("mesh");
  return mesh;
}

function idOf(mesh: FakeMesh, number: number): string {
  return clusterId(mesh.clusters[number - 1]!.ref);
}

async function drain(mesh: FakeMesh, number: number, order: Partial<DrainOrder> = {}): Promise<void> {
  const by = { state: "drained", by: "ann@example.com", reason: "a disk" } as const;
  await mesh.reconcile("mesh", { drain: { clusterId: idOf(mesh, number), ...by, ...order } });
}

async function saidOf(mesh: FakeMesh): Promise<readonly string[]> {
  const { checks }: Diagnosis = JSON.parse((await call(mesh, "doctor -o json")).out);
  return checks.filter(({ name }) => name === "drains").map(({ state, message }) => `${state} ${message}`);
}

describe("doctor, of drains", () => {
  it("says that nobody is drained, and of a drain since when, by whom and why; it writes nothing", async () => {
    const mesh = await aJoinedMesh();
    expect(await saidOf(mesh)).toEqual(["ok no member is drained"]);
    await drain(mesh, 2);
    const before = versionsOf(mesh);
    expect(await saidOf(mesh)).toEqual([
      expect.stringMatching(/^ok \S+-m2 is drained since 2026-\S+ \S+ UTC by ann@example\.com: a disk;/),
    ]);
    expect(versionsOf(mesh)).toEqual(before);
    await drain(mesh, 2, { state: "serving" });
    expect(await saidOf(mesh)).toEqual(["ok no member is drained"]);
  });

  it("finds fault with a drain that Meshjoin has decided on", async () => {
    const mesh = await aJoinedMesh();
    await drain(mesh, 2, { by: "meshjoin" });
    expect(await saidOf(mesh)).toEqual([expect.stringMatching(/^fault DrainedAutomatically: Meshjoin has/)]);
    mesh.servers[2]!.faults.unreachable = true;
    expect(await saidOf(mesh)).toEqual([
      expect.stringMatching(/^fault .+; 1 of 3 members could not be read, and may hold a newer note$/),
    ]);
  });

  it("goes by any member that holds the note, the drained one's own included", async () => {
    const mesh = await aJoinedMesh();
    await drain(mesh, 2);
    for (const number of [1, 3]) mesh.servers[number - 1]!.faults.unreachable = true;
    expect(await saidOf(mesh)).toEqual([
      expect.stringMatching(
        /^ok \S+-m2 is drained since .+; 2 of 3 members could not be read, and may hold a newer note$/,
      ),
    ]);
  });

  it("does not know of a drain where members could not be read", async () => {
    const mesh = await aJoinedMesh();
    mesh.servers[2]!.faults.unreachable = true;
    expect(await saidOf(mesh)).toEqual([
      "unknown 2 of 3 members could be read, and hold no note of a drain; the others may hold one",
    ]);
    mesh.servers[2]!.faults.unreachable = false;
    mesh.servers[2]!.faults.forbidden = ["list Secret"];
    expect(await saidOf(mesh)).toEqual([expect.stringMatching(/^unknown \S+-m3: /)]);
    for (const { faults } of mesh.servers) faults.unreachable = true;
    expect(await saidOf(mesh)).toEqual([]);
  });

  it("does not know what a note that cannot be read is to say", async () => {
    const mesh = await aJoinedMesh();
    await drain(mesh, 2);
    for (const { store } of mesh.servers) {
      const name = drainNoteName(idOf(mesh, 2));
      const note = store.get({ apiVersion: "v1", kind: "Secret", namespace: ISTIO_NAMESPACE, name })!;
      const annotations = { ...note.metadata.annotations, [annotation("drain-state")]: "perhaps" };
      store.write({ ...note, metadata: { ...note.metadata, annotations } }, "kubectl-edit");
    }
    expect(await saidOf(mesh)).toEqual([expect.stringMatching(/^unknown no note says whether \S+-m2 is/)]);
  });
});

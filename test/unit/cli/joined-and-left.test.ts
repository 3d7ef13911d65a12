import { describe, expect, it } from "@jest/globals";
import type { JoinResult } from "../../../cli/joined.ts";
import type { LeaveResult } from "../../../cli/left.ts";
import { clusterId } from "../../../shared/core/names.ts";
import { aCluster } from "../../support/builders/cluster.ts";
import { aMesh, type FakeMesh } from "../../support/fakes/mesh.ts";
import { call } from "./host.ts";

async function aJoinedMesh(members: number): Promise<FakeMesh> {
  const mesh = await aMesh({ members });
  await mesh.reconcile("mesh");
  return mesh;
}

const idOf = (mesh: FakeMesh, index: number) => clusterId(mesh.clusters[index]!.ref);

const HAS_LEFT =
  /^m2 has left: no member holds a credential of it; its CA is trusted until 2026-05-30 12:00 UTC\.$/m;

describe("leave", () => {
  it("says what is true afterwards, and what it did to that end", async () => {
    const { code, out } = await call(await aJoinedMesh(3), "leave m2 --yes");
    expect([code, out]).toEqual([0, expect.stringMatching(HAS_LEFT)]);
    expect(out).toMatch(/^Outcome: deleted$/m);
    expect(out).not.toMatch(/TrustedLeaver|MemberLeft/);
  });

  it("says the same when a function was faster", async () => {
    const mesh = await aJoinedMesh(3);
    mesh.directory.put({ ...mesh.clusters[1]!, labels: {} });
    await mesh.reconcile("mesh");
    mesh.clock.advance(mesh.spec.leaveGrace + 1);
    await mesh.reconcile("mesh");
    const { code, out } = await call(mesh, "leave m2 --yes");
    expect([code, out]).toEqual([0, expect.stringMatching(HAS_LEFT)]);
    expect(out).toContain("meshjoin root rotate");
    expect(out).not.toContain("Outcome");
  });

  it("does not say that a cluster has left where it has not looked, or where credentials are left", async () => {
    const mesh = await aJoinedMesh(4);
    mesh.servers[2]!.faults.unreachable = true;
    mesh.servers[0]!.faults.forbidden = ["delete"];
    const { out } = await call(mesh, "leave m2 --yes");
    expect(out).toContain("m2 has not left everywhere: credentials are left on m1");
    expect(out).toContain("m3 could not be asked.");
    expect(out).not.toContain("m2 has left:");
    const json = await call(mesh, "leave m2 --yes -o json");
    const { left }: LeaveResult = JSON.parse(json.out);
    expect(left).toMatchObject({ clusterId: idOf(mesh, 1), unseen: [idOf(mesh, 2)] });
    expect(left.holders).toContain(idOf(mesh, 0));
  });
});

describe("join", () => {
  const aMeshWithCandidate = async () => {
    const mesh = await aJoinedMesh(2);
    mesh.add(aCluster({ name: "m3", labels: {} }));
    return mesh;
  };

  it("says what is true afterwards, whether it was the one or a function", async () => {
    const mesh = await aMeshWithCandidate();
    const first = await call(mesh, "join m3");
    expect([first.code, first.out]).toEqual([
      0,
      expect.stringMatching(/^m3 is a member: all 4 of its pairs are synced\.$/m),
    ]);
    expect(first.out).not.toContain("Notes");
    const again = await call(mesh, "join m3");
    expect([again.code, again.out]).toEqual([0, "m3 is a member: all 4 of its pairs are synced.\n"]);
    const json: JoinResult = JSON.parse((await call(mesh, "join m3 -o json")).out);
    expect(json).toMatchObject({ outcome: "unchanged", joined: { pairs: 4, synced: 4, missing: null } });
  });

  it("does not call a cluster a member whose pairs are not synced", async () => {
    const mesh = await aMeshWithCandidate();
    mesh.servers[0]!.istiod.syncsNoMore = true;
    const { out } = await call(mesh, "join m3", { signal: AbortSignal.timeout(1500) });
    expect(out).toMatch(/^m3 has not joined everywhere: 3 of 4 pairs synced; \S+-m1 reads \S+-m3: /m);
    expect(out).toContain("meshjoin status --wait=m3");
  });
});

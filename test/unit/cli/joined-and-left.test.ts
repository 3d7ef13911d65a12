import { describe, expect, it } from "@jest/globals";
import type { JoinResult } from "../../../cli/joined.ts";
import type { LeaveResult } from "../../../cli/left.ts";
import { clusterId } from "../../../shared/core/names.ts";
import { UnavailableError } from "../../../shared/errors.ts";
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
    const { code, out } = await call(mesh, "leave m2 --yes");
    expect(code).toBe(1);
    expect(out).toContain("m2 has not left everywhere: credentials are left on m1");
    expect(out).toContain("m3 could not be asked.");
    expect(out).not.toContain("m2 has left:");
    mesh.servers[0]!.faults.forbidden = [];
    const away = await call(mesh, "leave m2 --yes");
    expect([away.code, away.out]).toEqual([
      3,
      expect.stringMatching(/has not left everywhere: .*m3 could not be asked\.$/m),
    ]);
    const json = await call(mesh, "leave m2 --yes -o json");
    const { left }: LeaveResult = JSON.parse(json.out);
    expect(left).toMatchObject({ clusterId: idOf(mesh, 1), unseen: [idOf(mesh, 2)] });
    expect(left.holders).not.toContain(idOf(mesh, 0));
  });

  it("does not say so, either, where a source tells of no members", async () => {
    const mesh = await aMesh({
      clusters: [
        aCluster({ name: "m1" }),
        aCluster({ name: "m2" }),
        aCluster({ name: "m3", project: "zoo" }),
      ],
      spec: { projects: ["shop", "zoo"] },
    });
    await mesh.reconcile("mesh");
    const list = mesh.directory.list.bind(mesh.directory);
    mesh.directory.list = async (project, signal) => {
      if (project === "zoo") throw new UnavailableError("zoo is silent", { code: "Unavailable" });
      return await list(project, signal);
    };
    const { code, out } = await call(mesh, `leave ${idOf(mesh, 1)} --yes`);
    expect([code, out]).toEqual([
      3,
      expect.stringMatching(/^m2 has not left everywhere: .*not all clusters of project zoo are known/m),
    ]);
    const drained = await call(mesh, `drain ${idOf(mesh, 0)} --yes --confirm MassDrain`);
    expect([drained.code, drained.out]).toEqual([
      3,
      expect.stringMatching(/^m1 is not drained everywhere: .*not all clusters of project zoo are known/m),
    ]);
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
    const { code, out } = await call(mesh, "join m3", { signal: AbortSignal.timeout(1500) });
    expect(code).toBe(3);
    expect(out).toMatch(/^m3 has not joined everywhere: 3 of 4 pairs synced; \S+-m1 reads \S+-m3: /m);
    expect(out).toContain("meshjoin status --wait=m3");
  });

  it("is not done while a member cannot be reached, and counts no pair with a drained one", async () => {
    const mesh = await aMeshWithCandidate();
    mesh.servers[0]!.faults.unreachable = true;
    const away = await call(mesh, "join m3");
    expect([away.code, away.out]).toEqual([3, expect.stringContaining("m3 has not joined everywhere: ")]);
    mesh.servers[0]!.faults.unreachable = false;
    await call(mesh, "drain m2 --yes");
    const { code, out } = await call(mesh, "join m3");
    expect([code, out]).toEqual([
      0,
      expect.stringMatching(/^m3 is a member: all 3 of its pairs are synced\.$/m),
    ]);
  });
});

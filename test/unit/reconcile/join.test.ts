import { describe, expect, it } from "@jest/globals";
import type { Cluster } from "../../../shared/core/cluster/cluster.ts";
import { clusterId } from "../../../shared/core/names.ts";
import { aCluster } from "../../support/builders/cluster.ts";
import { aMesh, type FakeMesh } from "../../support/fakes/mesh.ts";
import { contentsFromNow, expectJoined, inLockstep, secretsOf, stateOf, versionsOf } from "./world.ts";

const idOf = ({ ref }: Cluster) => clusterId(ref);

async function aJoinedMesh(members: number): Promise<FakeMesh> {
  const mesh = await aMesh({ members });
  for (const cluster of mesh.clusters) await mesh.join(cluster);
  return mesh;
}

describe("a cluster that is created", () => {
  it("becomes the first member", async () => {
    const mesh = await aMesh({ members: 1 });
    const [first] = mesh.clusters;
    const { summary, retry, errors } = await mesh.join(first!);
    expect({ summary, retry, errors }).toEqual({
      summary: {
        outcome: "created",
        members: [{ clusterId: idOf(first!), outcome: "created", findings: [] }],
        pairs: [],
        findings: [],
      },
      retry: false,
      errors: [],
    });
    await expectJoined(mesh);
  });

  it("joins the member that is there", async () => {
    const mesh = await aMesh({ members: 2 });
    const [first, second] = mesh.clusters;
    await mesh.join(first!);
    const { summary, retry } = await mesh.join(second!);
    expect(retry).toBe(false);
    expect(summary.pairs).toEqual([
      { reader: idOf(first!), target: idOf(second!), outcome: "created" },
      { reader: idOf(second!), target: idOf(first!), outcome: "created" },
    ]);
    await expectJoined(mesh);
  });

  it("joins two, and leaves the pair that they are alone", async () => {
    const mesh = await aJoinedMesh(2);
    const before = versionsOf(mesh);
    const third = aCluster({ name: "m3" });
    mesh.add(third);
    const { summary } = await mesh.join(third);
    expect(summary.pairs.map(({ outcome }) => outcome)).toEqual(Array(4).fill("created"));
    expect(versionsOf(mesh)).toEqual(expect.arrayContaining(before));
    await expectJoined(mesh);
  });

  it("writes nothing when its event comes again", async () => {
    const mesh = await aJoinedMesh(3);
    const before = versionsOf(mesh);
    for (const cluster of [...mesh.clusters, ...mesh.clusters]) {
      const { summary } = await mesh.join(cluster);
      expect(summary.outcome).toBe("unchanged");
      expect(summary.findings).toEqual([]);
    }
    expect(await mesh.reconcile("mesh")).toMatchObject({ summary: { outcome: "unchanged" }, retry: false });
    expect(versionsOf(mesh)).toEqual(before);
  });

  it("gets everything written once when its event comes ten times at once", async () => {
    const mesh = await aJoinedMesh(2);
    const third = aCluster({ name: "m3" });
    mesh.add(third);
    inLockstep(mesh);
    const cacerts = contentsFromNow(mesh, third, "cacerts");
    const remote = contentsFromNow(mesh, mesh.clusters[0]!, `istio-remote-secret-${idOf(third)}`);
    const results = await Promise.all(Array.from({ length: 10 }, () => mesh.join(third)));
    expect([cacerts.size, remote.size]).toEqual([1, 1]);
    for (const { retry, errors } of results) expect({ retry, errors }).toEqual({ retry: false, errors: [] });
    await mesh.join(third);
    await expectJoined(mesh);
    const before = versionsOf(mesh);
    await mesh.join(third);
    expect(versionsOf(mesh)).toEqual(before);
  });

  it.each([2, 3, 5])("is paired both ways when %s join at the same instant", async (members) => {
    const mesh = await aMesh({ members });
    inLockstep(mesh);
    const results = await Promise.all(mesh.clusters.map((cluster) => mesh.join(cluster)));
    for (const { retry, errors } of results) expect({ retry, errors }).toEqual({ retry: false, errors: [] });
    await expectJoined(mesh);
  });

  it("is paired both ways although one of the two is slow", async () => {
    const mesh = await aMesh({ members: 2 });
    mesh.servers[1]!.faults.slowMs = 5;
    await Promise.all(mesh.clusters.map((cluster) => mesh.join(cluster)));
    await expectJoined(mesh);
  });

  it("ends up the same in whatever order the members come", async () => {
    const forth = await aJoinedMesh(3);
    const back = await aMesh({ members: 3 });
    for (const cluster of back.clusters.toReversed()) await back.join(cluster);
    expect(stateOf(back)).toEqual(stateOf(forth));
  });

  it("is not paired with a member of another network that no gateway leads to", async () => {
    const mesh = await aMesh({
      clusters: [
        aCluster({ name: "m1" }),
        aCluster({ name: "m2", network: { project: "shop", name: "dmz" } }),
      ],
    });
    for (const cluster of mesh.clusters) await mesh.join(cluster);
    const { summary, retry } = await mesh.join(mesh.clusters[0]!);
    expect(retry).toBe(false);
    expect(summary.findings.map(({ reason }) => reason)).toContain("NetworksNotConnected");
    for (const cluster of mesh.clusters) await expectJoined(mesh, [cluster]);
  });

  it("is paired with a member that the list shows only after its own half is done", async () => {
    const mesh = await aJoinedMesh(1);
    const [first] = mesh.clusters;
    mesh.directory.delete(first!.ref);
    const second = aCluster({ name: "m2" });
    mesh.add(second);
    const { retry } = await mesh.join(second, {
      report: ({ step }) => {
        if (step === "applyControlPlane") mesh.directory.put(first!);
      },
    });
    expect(retry).toBe(false);
    await expectJoined(mesh);
  });

  it("is unknown to the list for a while, and is joined all the same", async () => {
    const mesh = await aMesh({ members: 1 });
    await mesh.join(mesh.clusters[0]!);
    const late = aCluster({ name: "m2" });
    mesh.fleet.add(late);
    expect(await mesh.join(late)).toMatchObject({ retry: true });
    mesh.directory.put(late);
    expect(await mesh.join(late)).toMatchObject({ retry: false, errors: [] });
    await expectJoined(mesh, [mesh.clusters[0]!, late]);
  });
});

describe("a cluster that was created again under its name", () => {
  it("gets a credential of its own, and its predecessor's is revoked", async () => {
    const mesh = await aJoinedMesh(2);
    const [first, old] = mesh.clusters;
    const again = aCluster({ name: "m2", id: "another" });
    const bound = () =>
      secretsOf(mesh, first!).find(({ metadata }) => metadata.name.startsWith("meshjoin-reader"));
    const before = bound();
    mesh.directory.put(again);
    mesh.fleet.add(again);
    const { retry, errors } = await mesh.join(again);
    expect({ retry, errors }).toEqual({ retry: false, errors: [] });
    await expectJoined(mesh, [first!, again]);
    expect(idOf(again)).toBe(idOf(old!));
    expect(bound()?.metadata.name).toBe(before?.metadata.name);
    expect(bound()?.metadata.uid).not.toBe(before?.metadata.uid);
  });
});

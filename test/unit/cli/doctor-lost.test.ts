import { describe, expect, it } from "@jest/globals";
import type { Check, Diagnosis } from "../../../shared/core/answers/check.ts";
import type { Cluster } from "../../../shared/core/cluster/cluster.ts";
import { clusterId } from "../../../shared/core/names.ts";
import { examineReconciler } from "../../../shared/doctor/examine.ts";
import { aCluster } from "../../support/builders/cluster.ts";
import { aMesh, type FakeMesh } from "../../support/fakes/mesh.ts";
import { call } from "./host.ts";

const ID = ({ ref }: Cluster) => clusterId(ref);

async function aJoinedMesh(members: number): Promise<FakeMesh> {
  const mesh = await aMesh({ members });
  await mesh.reconcile("mesh");
  return mesh;
}

function unlabel(mesh: FakeMesh, ...clusters: readonly Cluster[]): void {
  for (const cluster of clusters) mesh.directory.put({ ...cluster, labels: {} });
}

/** The checks of `clusters` that are not well, by a person at the command line. */
async function doctor(mesh: FakeMesh): Promise<readonly Check[]> {
  const { out } = await call(mesh, "doctor -o json");
  const { checks }: Diagnosis = JSON.parse(out);
  return checks.filter(({ name, state }) => name === "clusters" && state !== "ok");
}

describe("doctor of a mesh that has lost members", () => {
  it.each([1, 4])(
    "names %i of four with the command that takes each back, and the function's own does",
    async (count) => {
      const mesh = await aJoinedMesh(4);
      const lost = mesh.clusters.slice(0, count);
      unlabel(mesh, ...lost);
      const { ports, spec, signal } = mesh.run();
      const theirs = await examineReconciler({
        ports,
        spec,
        signerUrl: undefined,
        member: undefined,
        signal,
      });
      for (const checks of [await doctor(mesh), theirs.filter(({ state }) => state !== "ok")]) {
        const named = checks.filter((check) => check.clusterId !== undefined);
        expect(named.map(({ state, clusterId: id, cure }) => [state, id, cure])).toEqual(
          lost.map((cluster) => ["fault", ID(cluster), `meshjoin label ${ID(cluster)}`]),
        );
        const list = checks.filter((check) => check.clusterId === undefined);
        const empty = { state: "fault", message: "shop: 4 listed, 0 of them members" };
        expect(list).toMatchObject(count === 4 ? [empty] : []);
      }
    },
  );

  it("names one that is no pair with those that are left", async () => {
    const far = aCluster({ name: "far", network: { project: "shop", name: "dmz" } });
    const mesh = await aMesh({ clusters: [aCluster(), far], spec: { gateways: "never" } });
    await mesh.reconcile("mesh");
    unlabel(mesh, far);
    expect(await doctor(mesh)).toMatchObject([{ state: "fault", clusterId: ID(far) }]);
  });

  it("names one that does not answer, if a member holds credentials of it", async () => {
    const mesh = await aJoinedMesh(3);
    unlabel(mesh, mesh.clusters[0]!);
    mesh.fleet.server(mesh.clusters[0]!).faults.unreachable = true;
    expect(await doctor(mesh)).toMatchObject([{ state: "fault", clusterId: ID(mesh.clusters[0]!) }]);
  });

  it("does not know where nobody can be asked", async () => {
    const mesh = await aJoinedMesh(2);
    unlabel(mesh, ...mesh.clusters);
    for (const { faults } of mesh.servers) faults.unreachable = true;
    const checks = await doctor(mesh);
    expect(checks.map(({ state, clusterId: id }) => [state, id])).toEqual([
      ["unknown", undefined],
      ...mesh.clusters.map((cluster) => ["unknown", ID(cluster)]),
    ]);
    expect((await call(mesh, "doctor")).code).toBe(3);
  });

  it("finds nothing where a member was taken out, where all were, and where none ever joined", async () => {
    const mesh = await aJoinedMesh(2);
    for (const leaver of mesh.clusters) {
      unlabel(mesh, leaver);
      await mesh.reconcile("mesh", { leaving: [ID(leaver)] });
      expect(await doctor(mesh)).toEqual([]);
    }
    expect(await doctor(await aMesh({ clusters: [aCluster({ labels: {} })] }))).toEqual([]);
  });

  it("names the other values of the label, for a mesh ID that is mistyped", async () => {
    const labels = [{ mesh_id: "sandbox" }, { mesh_id: "sandbox" }, { mesh_id: "old" }, {}];
    const clusters = labels.map((each, index) => aCluster({ name: `m${index}`, labels: each }));
    const mesh = await aMesh({ clusters });
    expect(await doctor(mesh)).toEqual([
      expect.objectContaining({
        state: "unknown",
        message:
          "shop: 4 listed, 0 of them members; labels seen: mesh_id=sandbox on 2 clusters, mesh_id=old on 1 cluster",
        cure: expect.stringContaining("did you mean sandbox? then set MESHJOIN_MESH_ID=sandbox"),
      }),
    ]);
  });
});

import { describe, expect, it } from "@jest/globals";
import type { Cluster } from "../../../shared/core/cluster/cluster.ts";
import { clusterId } from "../../../shared/core/names.ts";
import { tick } from "../../../shared/rotate/rotate.ts";
import { aCluster } from "../../support/builders/cluster.ts";
import type { FakeMesh } from "../../support/fakes/mesh.ts";
import { secret } from "../reconcile/installations.ts";
import { fileOf, secretsOf } from "../reconcile/world.ts";
import { aJoinedMesh, order, rootsNow, STAGE, throughStage, ticks } from "./world.ts";

const ID = ({ ref }: Cluster) => clusterId(ref);

/** Every stage would be over by now, if nothing held it. */
async function later(mesh: FakeMesh): Promise<void> {
  for (let stage = 0; stage < 4; stage += 1) await throughStage(mesh);
}

async function aRotationWithout(
  count: number,
  change: Partial<Cluster> = { labels: {} },
): Promise<{ mesh: FakeMesh; lost: Cluster[] }> {
  const mesh = await aJoinedMesh({ members: 4 });
  await order(mesh, "start");
  await ticks(mesh);
  const lost = mesh.clusters.slice(-count);
  for (const cluster of lost) mesh.directory.put({ ...cluster, ...change });
  return { mesh, lost };
}

describe("a root rotation while members hold credentials of a cluster that is none of them", () => {
  it("is held by those that have lost their labels in a mass leave, and goes on when they are members again", async () => {
    const { mesh, lost } = await aRotationWithout(3);
    await later(mesh);
    expect((await rootsNow(mesh)).stage).toBe("distribute");
    for (const cluster of lost) mesh.directory.put(cluster);
    await later(mesh);
    expect((await rootsNow(mesh)).stage).toBe("idle");
  });

  it("does not go on without one that has only lost its label, and runs", async () => {
    const { mesh, lost } = await aRotationWithout(1);
    mesh.clock.advance(STAGE);
    const [id = ""] = lost.map(ID);
    expect(await order(mesh, "advance", { without: [id] })).toMatchObject({
      after: { refused: "ExclusionIsMember", cure: expect.stringContaining(`meshjoin leave ${id}`) },
    });
    expect((await rootsNow(mesh)).stage).toBe("distribute");
    expect((await mesh.roots.state()).annotations["meshjoin.dev_without"]).toBeUndefined();
  });

  it("goes on by itself when their departure is carried out", async () => {
    const { mesh } = await aRotationWithout(3);
    await later(mesh);
    await mesh.reconcile("mesh", { confirm: ["MassLeave"] });
    await later(mesh);
    expect((await rootsNow(mesh)).stage).toBe("idle");
  });

  it("does not wait for a leaver that has nothing but its cacerts", async () => {
    const { mesh, lost } = await aRotationWithout(1);
    await mesh.reconcile("mesh", { leaving: lost.map(ID) });
    mesh.fleet.server(lost[0]!).faults.unreachable = true;
    await later(mesh);
    expect((await rootsNow(mesh)).stage).toBe("idle");
  });

  it("is not moved on by a laptop whose configuration leaves a project out", async () => {
    const mesh = await aJoinedMesh({
      clusters: [aCluster({ name: "m1" }), aCluster({ name: "b1", project: "zoo" })],
      spec: { projects: ["shop", "zoo"] },
    });
    await order(mesh, "start");
    mesh.servers[1]!.faults.unreachable = true;
    await ticks(mesh);
    mesh.clock.advance(10 * STAGE);
    for (const spec of [{ projects: ["shop"] }, { allow: ["m*"] }]) {
      expect(await order(mesh, "advance", { spec })).toMatchObject({
        after: {
          refused: "StageNotOver",
          message: expect.stringContaining(`${ID(mesh.clusters[1]!)} is no member that this run sees`),
        },
      });
    }
    expect((await rootsNow(mesh)).stage).toBe("distribute");
  });

  it.each([
    ["a list of names that names none", { allow: ["typo*"] }],
    ["a project without members", { projects: ["zoo"] }],
  ])("is not moved on by a configuration with %s, by an order or by ticks", async (_, spec) => {
    const mesh = await aJoinedMesh({ members: 2, spec: { projects: ["shop", "zoo"] } });
    await order(mesh, "start");
    mesh.clock.advance(10 * STAGE);
    expect(await order(mesh, "advance", { spec })).toMatchObject({ after: { refused: "StageNotOver" } });
    for (let count = 0; count < 3; count += 1) {
      const run = mesh.run();
      await tick({ ...run, spec: { ...run.spec, ...spec } });
      mesh.clock.advance(STAGE);
    }
    expect((await rootsNow(mesh)).stage).toBe("distribute");
    await later(mesh);
    expect((await rootsNow(mesh)).stage).toBe("idle");
  });

  it("is not moved on by a laptop that leaves out a member that none of the others is paired with", async () => {
    const mesh = await aJoinedMesh({
      clusters: [
        aCluster({ name: "m1" }),
        aCluster({ name: "b1", project: "zoo", network: { project: "zoo", name: "other" } }),
      ],
      spec: { projects: ["shop", "zoo"] },
    });
    await order(mesh, "start", { spec: { projects: ["shop"] } });
    mesh.servers[1]!.faults.unreachable = true;
    await ticks(mesh);
    mesh.clock.advance(10 * STAGE);
    expect(await order(mesh, "advance", { spec: { projects: ["shop"] } })).toMatchObject({
      after: { message: expect.stringContaining("project zoo, which MESHJOIN_PROJECTS leaves out") },
    });
    expect((await rootsNow(mesh)).stage).toBe("distribute");
  });

  it.each(["distribute", "retire"] as const)(
    "goes on from %s with fewer projects when that is confirmed, once",
    async (stage) => {
      const mesh = await aJoinedMesh({ members: 2, spec: { projects: ["shop", "zoo"] } });
      const shop = { projects: ["shop"] };
      await order(mesh, "start");
      if (stage === "retire") await order(mesh, "abort");
      const tickOfShop = async () => {
        mesh.clock.advance(STAGE);
        const run = mesh.run();
        await tick({ ...run, spec: { ...run.spec, ...shop } });
      };
      await ticks(mesh);
      for (let count = 0; count < 3; count += 1) await tickOfShop();
      expect((await rootsNow(mesh)).stage).toBe(stage);
      await order(mesh, "advance", { spec: shop, confirm: ["NotConfigured"] });
      for (let count = 0; count < 8; count += 1) await tickOfShop();
      expect((await rootsNow(mesh)).stage).toBe("idle");
    },
  );

  it("opens nothing else by that confirmation, which holds until a tick looks at more", async () => {
    const mesh = await aJoinedMesh({ members: 2, spec: { projects: ["shop", "zoo"] } });
    await order(mesh, "start");
    const shop = { projects: ["shop"] };
    await order(mesh, "advance", { spec: shop, confirm: ["NotConfigured"] });
    const viewNow = async () => (await mesh.roots.state()).annotations["meshjoin.dev_view"];
    expect((await rootsNow(mesh)).stage).toBe("distribute");
    expect(await viewNow()).toBe("shop");
    await ticks(mesh);
    expect(await viewNow()).toBe("shop,zoo");
  });

  it("goes on with fewer projects when it was begun anew with them", async () => {
    const mesh = await aJoinedMesh({ members: 2, spec: { projects: ["shop", "zoo"] } });
    await order(mesh, "start");
    await order(mesh, "abort");
    const shop = { projects: ["shop"] };
    const throughStages = async (count: number) => {
      for (let index = 0; index < 2 * count; index += 1) {
        const run = mesh.run();
        await tick({ ...run, spec: { ...run.spec, ...shop } });
        mesh.clock.advance(STAGE);
      }
    };
    await later(mesh);
    expect((await rootsNow(mesh)).stage).toBe("idle");
    await order(mesh, "start", { spec: shop });
    await throughStages(4);
    expect((await rootsNow(mesh)).stage).toBe("idle");
  });

  it("waits for the first member where there is none", async () => {
    const mesh = await aJoinedMesh({ members: 0 });
    await order(mesh, "start");
    await later(mesh);
    expect((await rootsNow(mesh)).stage).toBe("distribute");
    const first = aCluster({ name: "first" });
    mesh.add(first);
    await mesh.join(first);
    await later(mesh);
    expect((await rootsNow(mesh)).stage).toBe("idle");
  });

  it("is held by a remote secret of somebody else's, if istiod reads it", async () => {
    const mesh = await aJoinedMesh();
    const ours = secretsOf(mesh, mesh.clusters[0]!).find(({ metadata }) =>
      metadata.name.startsWith("istio-remote-secret-"),
    );
    const byHand = secret("by-hand", { stranger: fileOf(ours!, ID(mesh.clusters[1]!)) });
    const annotations = { "networking.istio.io/cluster": "stranger" };
    const labels = { "istio/multiCluster": "true" };
    const { store } = mesh.servers[0]!;
    store.write({ ...byHand, metadata: { ...byHand.metadata, annotations, labels } }, "kubectl");
    await order(mesh, "start");
    await later(mesh);
    expect((await rootsNow(mesh)).stage).toBe("distribute");
  });
});

/** GKE cannot mend it, and does not say that it is gone. */
const BROKEN = { status: "ERROR" } as const;

describe("a cluster that never comes back", () => {
  it("is named once, and no stage of this rotation waits for it, in whatever process", async () => {
    const { mesh, lost } = await aRotationWithout(3, BROKEN);
    await later(mesh);
    const without = lost.map(ID);
    await order(mesh, "advance", { without });
    expect((await rootsNow(mesh)).stage).toBe("switch");
    await later(mesh);
    expect((await rootsNow(mesh)).stage).toBe("idle");
    expect(Object.keys((await mesh.roots.state()).annotations)).not.toContain("meshjoin.dev_without");
  });

  it("stays noted where the stage is not over yet, and opens nothing before its time", async () => {
    const { mesh, lost } = await aRotationWithout(3, BROKEN);
    await order(mesh, "advance", { without: lost.map(ID) });
    expect((await rootsNow(mesh)).stage).toBe("distribute");
    await ticks(mesh);
    expect((await rootsNow(mesh)).stage).toBe("distribute");
    mesh.clock.advance(STAGE);
    await ticks(mesh);
    expect((await rootsNow(mesh)).stage).toBe("switch");
  });

  it("is not one that is there, and that this configuration leaves out", async () => {
    const mesh = await aJoinedMesh({
      clusters: [aCluster({ name: "m1" }), aCluster({ name: "b1", project: "zoo" })],
      spec: { projects: ["shop", "zoo"] },
    });
    await order(mesh, "start");
    await ticks(mesh);
    const without = [ID(mesh.clusters[1]!)];
    for (const spec of [{ projects: ["shop"] }, { allow: ["m*"] }]) {
      expect(await order(mesh, "advance", { without, spec })).toMatchObject({
        after: { refused: "ExclusionIsMember", message: expect.stringContaining("leaves it out") },
      });
    }
    expect(Object.keys((await mesh.roots.state()).annotations)).not.toContain("meshjoin.dev_without");
  });

  it("holds a stage again as soon as it is a member", async () => {
    const { mesh, lost } = await aRotationWithout(3, BROKEN);
    const [back] = lost;
    await order(mesh, "advance", { without: lost.map(ID) });
    mesh.directory.put(back!);
    mesh.fleet.server(back!).faults.unreachable = true;
    await later(mesh);
    expect((await rootsNow(mesh)).stage).toBe("distribute");
  });

  it.each<[string, string, (mesh: FakeMesh) => string]>([
    ["a member", "ExclusionIsMember", (mesh) => ID(mesh.clusters[0]!)],
    ["a cluster that holds nothing back", "ExclusionUnknown", () => "cn-a-typing-mistake"],
  ])("cannot be %s", async (_, refused, name) => {
    const { mesh } = await aRotationWithout(1);
    expect(await order(mesh, "advance", { without: [name(mesh)] })).toMatchObject({ after: { refused } });
    expect(Object.keys((await mesh.roots.state()).annotations)).not.toContain("meshjoin.dev_without");
  });
});

import { describe, expect, it } from "@jest/globals";
import type { DrainResult } from "../../../cli/drained.ts";
import type { DryRun } from "../../../cli/grave-command.ts";
import { clusterId, drainNoteName, ISTIO_NAMESPACE, remoteSecretName } from "../../../shared/core/names.ts";
import type { KubernetesObject } from "../../../shared/ports/kubernetes-object.ts";
import { aCluster } from "../../support/builders/cluster.ts";
import { aMesh, type FakeMesh } from "../../support/fakes/mesh.ts";
import { inLockstep, secretsOf, versionsOf } from "../reconcile/world.ts";
import { call } from "./host.ts";

async function aJoinedMesh(members = 3): Promise<FakeMesh> {
  const mesh = await aMesh({ members });
  await mesh.reconcile("mesh");
  return mesh;
}

/** Names of the members that hold a remote secret of the member of that number. */
function readersOf(mesh: FakeMesh, number: number): string[] {
  const name = remoteSecretName(idOf(mesh, number));
  return mesh.clusters
    .filter((each) => secretsOf(mesh, each).some(({ metadata }) => metadata.name === name))
    .map(({ ref }) => ref.name);
}

function idOf(mesh: FakeMesh, number: number): string {
  return clusterId(clusterOf(mesh, number).ref);
}

function clusterOf(mesh: FakeMesh, number: number) {
  const cluster = mesh.clusters[number - 1];
  if (cluster === undefined) throw new Error(`no member ${number}`);
  return cluster;
}

function service(namespace: string, name: string, type: string): KubernetesObject {
  return { apiVersion: "v1", kind: "Service", metadata: { namespace, name }, spec: { type } };
}

async function effectsOf(mesh: FakeMesh, args: string): Promise<string> {
  const { code, out } = await call(mesh, `${args} -o json`);
  const { effects }: DryRun = JSON.parse(out);
  return [code, ...effects].join("\n");
}

describe("drain and undrain", () => {
  it("take a member from its peers and bring it back, and say so", async () => {
    const mesh = await aJoinedMesh();
    const drained = await call(mesh, "drain m2 --reason disk --yes");
    expect([drained.code, readersOf(mesh, 2)]).toEqual([0, []]);
    expect(drained.out).toContain("m2 is drained: no peer reads it.");
    const status = await call(mesh, "status -o json");
    expect(JSON.parse(status.out).members[1].drain).toEqual({
      state: "present",
      since: mesh.clock.now().toISOString(),
      by: "ada@example.com",
      reason: "disk",
    });
    const back = await call(mesh, "undrain m2 --yes");
    expect([back.code, readersOf(mesh, 2)]).toEqual([0, ["m1", "m3"]]);
    expect(back.out).toContain("m2 serves again: every peer reads it.");
  });

  it("are no trouble in a status: it is whole, synced, and names the drained one", async () => {
    const mesh = await aJoinedMesh();
    await call(mesh, "drain m2 --yes");
    const { code, out } = await call(mesh, "status --exit-code");
    expect(code).toBe(0);
    expect(out).toMatch(/^WHOLE: 3 members, all 4 pairs synced, 1 drained$/m);
    expect(out).toMatch(/^m2 +ok, drained +2\/2/m);
    expect(out).toMatch(/^m1 +ok +1\/1/m);
    expect(out).not.toContain("NOT SYNCED");
    for (const goal of ["synced", "whole", "m1", "m2"])
      expect((await call(mesh, `status --wait=${goal} --timeout 1s`)).code).toBe(0);
  });

  it("of Meshjoin's own make a status degraded, and say whose they are", async () => {
    const mesh = await aJoinedMesh();
    const [, second] = mesh.clusters;
    const order = { state: "drained", by: "meshjoin", reason: "it is dead" } as const;
    await mesh.reconcile("mesh", { drain: { clusterId: clusterId(second!.ref), ...order } });
    const { code, out } = await call(mesh, "status --exit-code");
    expect(code).toBe(4);
    expect(out).toMatch(/^m2 +ok, drained by Meshjoin +2\/2/m);
    expect(out).toContain("DrainedAutomatically");
  });

  it("change nothing the second time", async () => {
    const mesh = await aJoinedMesh();
    for (const args of ["drain m2 --yes", "undrain m2 --yes"]) {
      await call(mesh, args);
      await mesh.reconcile("mesh");
      const before = versionsOf(mesh);
      expect((await call(mesh, args)).code).toBe(0);
      expect(versionsOf(mesh)).toEqual(before);
    }
  });

  it("work for a member that is dead, and name what is not known of it", async () => {
    const mesh = await aJoinedMesh();
    mesh.fleet.server(clusterOf(mesh, 2)).faults.unreachable = true;
    expect(await effectsOf(mesh, "drain m2 --check")).toMatch(/^Not known, because m2 does not answer/m);
    const { code, out } = await call(mesh, "drain m2 --yes");
    expect([code, readersOf(mesh, 2)]).toEqual([0, []]);
    expect(out).toContain("m2 is drained");
  });

  it.each(["broken", "forbidden"] as const)("need no write to the member itself (%s)", async (fault) => {
    const mesh = await aJoinedMesh();
    const { faults } = mesh.fleet.server(clusterOf(mesh, 2));
    faults[fault] = ["create"];
    const { code, out } = await call(mesh, "drain m2 --yes -o json");
    const { drain, findings }: DrainResult = JSON.parse(out);
    expect([code, drain.readers, drain.unseen]).toEqual([0, [], []]);
    expect(findings.map(({ clusterId: id }) => id)).toContain(idOf(mesh, 2));
  });

  it("do nothing where nobody can say yes", async () => {
    const mesh = await aJoinedMesh();
    const before = versionsOf(mesh);
    for (const args of ["drain m2", "undrain m2"]) {
      const { code, err } = await call(mesh, args);
      expect([code, err]).toEqual([1, expect.stringContaining("nothing is done: this needs a yes")]);
    }
    expect(versionsOf(mesh)).toEqual(before);
  });

  it("drain nothing where the only peer cannot be reached, and do not say that a run goes on", async () => {
    const mesh = await aJoinedMesh(2);
    mesh.fleet.server(clusterOf(mesh, 2)).faults.unreachable = true;
    const { code, out } = await call(mesh, "drain m1 --yes");
    expect(code).toBe(1);
    expect(out).toMatch(/^m1 is not drained, and nothing was written: it needs a confirmation\.$/m);
  });

  it("end unfinished where a peer cannot be reached, and name it", async () => {
    const mesh = await aJoinedMesh();
    mesh.fleet.server(clusterOf(mesh, 3)).faults.unreachable = true;
    expect(await effectsOf(mesh, "drain m2 --dry-run")).toMatch(/^Not covered: m3 cannot be reached/m);
    const { code, out } = await call(mesh, "drain m2 --yes -o json");
    const { drain }: DrainResult = JSON.parse(out);
    expect([code, drain.readers, drain.unseen]).toEqual([3, [], [idOf(mesh, 3)]]);
  });

  it("say before what they do not cover", async () => {
    const mesh = await aJoinedMesh();
    const { store } = mesh.fleet.server(clusterOf(mesh, 2));
    store.create({ apiVersion: "v1", kind: "Namespace", metadata: { name: "shop" } });
    store.create(service("shop", "front", "LoadBalancer"));
    store.create(service("shop", "cart", "ClusterIP"));
    const before = versionsOf(mesh);
    const effects = await effectsOf(mesh, "drain m2 --check");
    expect(effects).toMatch(/^0\nThis drains m2: 2 peers lose its endpoints \(m1, m3\)\./);
    expect(effects).toMatch(/^Not covered: what enters m2 from outside, by shop\/front\.$/m);
    expect(effects).toMatch(/^Its peers lose services that no other member has: shop\/cart, shop\/front\.$/m);
    expect(effects).toMatch(/^Not covered: streams/m);
    expect(versionsOf(mesh)).toEqual(before);
  });

  it("ask for a confirmation before the most are drained, or the last", async () => {
    const mesh = await aJoinedMesh(2);
    await call(mesh, "drain m1 --yes");
    const refused = await call(mesh, "drain m2 --yes");
    expect([refused.code, readersOf(mesh, 2)]).toEqual([1, ["m1"]]);
    expect(refused.out).toMatch(/^m2 is not drained, and nothing was written: it needs a confirmation\.$/m);
    expect(refused.out).not.toContain("Each full run goes on");
    expect(refused.out).toContain(
      `cure: if that is meant: meshjoin drain ${idOf(mesh, 2)} --confirm MassDrain\n`,
    );
    const foreseen = await call(mesh, "drain m2", { answer: true });
    expect([foreseen.code, foreseen.questions]).toEqual([1, []]);
    expect(foreseen.err).toContain(`meshjoin drain ${idOf(mesh, 2)} --confirm MassDrain`);
    expect(await effectsOf(mesh, "drain m2 --check")).toContain("no member would serve any more");
    expect((await call(mesh, "drain m2 --yes --confirm MassDrain")).code).toBe(0);
    expect(readersOf(mesh, 2)).toEqual([]);
  });

  it("end with 1 where two at the same time have drained too many, and say how to bring one back", async () => {
    const mesh = await aJoinedMesh();
    inLockstep(mesh);
    const done = await Promise.all(["drain m2 --yes", "drain m3 --yes"].map((args) => call(mesh, args)));
    const told = done.find(({ out }) => out.includes("DrainsTogether"));
    expect(told?.code).toBe(1);
    expect(told?.out).toMatch(/meshjoin undrain \S+-m[23]; or meshjoin undrain \S+-m[32]/);
    expect([readersOf(mesh, 2), readersOf(mesh, 3)]).toEqual([[], []]);
  });

  it.each([
    ["two\nlines", "control characters"],
    ["x".repeat(201), "at most 200"],
    [`eyJ${"a".repeat(40)}.eyJ${"b".repeat(40)}`, "no secret"],
  ])("refuse a reason that cannot be kept", async (reason, words) => {
    const mesh = await aJoinedMesh(2);
    const before = versionsOf(mesh);
    for (const how of ["--yes", "--check", "--dry-run"]) {
      const { code, err } = await call(mesh, `drain m2 --reason ${reason} ${how}`);
      expect([code, err]).toEqual([2, expect.stringContaining(words)]);
    }
    expect(versionsOf(mesh)).toEqual(before);
  });

  it("do not call a cluster unknown whose location GKE does not tell of", async () => {
    const far = aCluster({ name: "far", location: "europe-west4" });
    const mesh = await aMesh({ clusters: [aCluster({ name: "m1" }), aCluster({ name: "m2" }), far] });
    await mesh.reconcile("mesh");
    mesh.directory.missing(["europe-west4"]);
    const { code, err } = await call(mesh, "drain far --yes");
    expect([code, err]).toEqual([3, expect.stringMatching(/no cluster far is listed.+europe-west4/)]);
  });

  it("refuse a cluster that is no member", async () => {
    const mesh = await aJoinedMesh(2);
    mesh.directory.put({ ...clusterOf(mesh, 2), labels: {} });
    for (const args of ["drain m2 --yes", "undrain m2 --yes", "drain m2 --check"])
      expect((await call(mesh, args)).err).toContain("is no member of mesh prod");
  });
});

describe("undrain of a member that a label drains", () => {
  async function aLabelledMesh(): Promise<FakeMesh> {
    const mesh = await aJoinedMesh();
    const cluster = clusterOf(mesh, 2);
    mesh.directory.put({ ...cluster, labels: { ...cluster.labels, team: "shop", mesh_state: "drained" } });
    await mesh.reconcile("mesh");
    expect(readersOf(mesh, 2)).toEqual([]);
    return mesh;
  }

  it("takes the label off, and no run drains it again", async () => {
    const mesh = await aLabelledMesh();
    mesh.clock.advance(600);
    const effects = await effectsOf(mesh, "undrain m2 --dry-run");
    expect(effects).toMatch(/^This brings m2 back to 2 peers, 1 at a time\.$/m);
    expect(effects).toContain("Its label mesh_state (drained) goes.");
    expect((await call(mesh, "undrain m2 --yes")).code).toBe(0);
    expect(mesh.directory.peek(clusterOf(mesh, 2).ref)?.labels).toEqual({ mesh_id: "prod", team: "shop" });
    mesh.clock.advance(600);
    await mesh.reconcile("mesh");
    expect(readersOf(mesh, 2)).toEqual(["m1", "m3"]);
  });

  it("ends well though labels of others wait for a confirmation, and drains none of them", async () => {
    const mesh = await aJoinedMesh(4);
    await call(mesh, "drain m2 --yes");
    for (const number of [1, 3, 4]) {
      const cluster = clusterOf(mesh, number);
      mesh.directory.put({ ...cluster, labels: { ...cluster.labels, mesh_state: "drained" } });
    }
    mesh.clock.advance(600);
    expect((await call(mesh, "undrain m2 --yes")).code).toBe(0);
    expect([readersOf(mesh, 1), readersOf(mesh, 2)]).toEqual([
      ["m2", "m3", "m4"],
      ["m1", "m3", "m4"],
    ]);
  });

  it("undrains nothing where the label has to stay, and has the command for it", async () => {
    const mesh = await aLabelledMesh();
    const { code, err } = await call(mesh, "undrain m2 --yes", { mayNotLabel: true });
    expect([code, readersOf(mesh, 2)]).toEqual([1, []]);
    expect(err).toContain("--update-labels=mesh_id=prod,team=shop");
    const { metadata } = secretsOf(mesh, clusterOf(mesh, 1)).find(
      (each) => each.metadata.name === drainNoteName(idOf(mesh, 2)),
    )!;
    expect([metadata.namespace, metadata.annotations?.["meshjoin.dev/drain-state"]]).toEqual([
      ISTIO_NAMESPACE,
      "drained",
    ]);
  });
});

it("an undrain does not wait for peers that are no pair with the member", async () => {
  const far = aCluster({ name: "far", network: { project: "shop", name: "dmz" } });
  const clusters = [aCluster({ name: "m1" }), aCluster({ name: "m2" }), far];
  const mesh = await aMesh({ clusters, spec: { gateways: "never" } });
  await mesh.reconcile("mesh");
  expect((await call(mesh, "drain m1 --yes --confirm MassDrain")).code).toBe(0);
  const { code, out } = await call(mesh, "undrain m1 --yes");
  expect([code, out]).toEqual([0, expect.stringContaining("m1 serves again: every peer reads it.")]);
});

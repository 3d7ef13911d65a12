import { describe, expect, it } from "@jest/globals";
import { gkeSources } from "../../../shared/adapters/cluster-sources.ts";
import type { Cluster } from "../../../shared/core/cluster/cluster.ts";
import { annotation, clusterId, ISTIO_NAMESPACE } from "../../../shared/core/names.ts";
import type { MeshSpec } from "../../../shared/core/spec.ts";
import { UnavailableError } from "../../../shared/errors.ts";
import type { ClusterDirectory } from "../../../shared/ports/cluster-directory.ts";
import { reconcile } from "../../../shared/reconcile.ts";
import { collectStatus } from "../../../shared/status.ts";
import { aCluster } from "../../support/builders/cluster.ts";
import { ProcessDeath, processFaults } from "../../support/fakes/member-api/faults.ts";
import { aMesh, type FakeMesh } from "../../support/fakes/mesh.ts";
import { secret } from "./installations.ts";
import { expectJoined, secretsOf, versionsOf } from "./world.ts";

async function aJoinedMesh(members: number): Promise<FakeMesh> {
  const mesh = await aMesh({ members });
  await mesh.reconcile("mesh");
  await expectJoined(mesh);
  return mesh;
}

const ID = ({ ref }: Cluster) => clusterId(ref);
/** What an event about a cluster does that is no member any more. */
const leave = (mesh: FakeMesh, cluster: Cluster, process?: Parameters<FakeMesh["reconcile"]>[1]) =>
  mesh.reconcile({ clusterId: ID(cluster) }, process);
const unlabel = (mesh: FakeMesh, ...clusters: Cluster[]) => {
  for (const cluster of clusters) mesh.directory.put({ ...cluster, labels: {} });
};
/** A full run sees the loss, and the next one comes when the grace is over. */
const loseForGood = async (mesh: FakeMesh, ...clusters: Cluster[]) => {
  unlabel(mesh, ...clusters);
  await mesh.reconcile("mesh");
  mesh.clock.advance(mesh.spec.leaveGrace);
};
const reasonsOf = (findings: readonly { readonly reason: string }[]) => [
  ...new Set(findings.map(({ reason }) => reason)),
];

/** The last is in a project of its own. */
async function aMeshOfTwoProjects(): Promise<FakeMesh> {
  const zoo = aCluster({ name: "ape", project: "zoo" });
  const mesh = await aMesh({
    clusters: [aCluster({ name: "m1" }), aCluster({ name: "m2" }), zoo],
    spec: { projects: ["shop", "zoo"] },
  });
  await mesh.reconcile("mesh");
  await expectJoined(mesh);
  return mesh;
}
const narrow = async (
  mesh: FakeMesh,
  spec: Partial<MeshSpec>,
  confirm: readonly string[] = [],
  leaving: readonly string[] = [],
) => {
  const run = mesh.run();
  return await reconcile(
    { ...run, spec: { ...run.spec, ...spec } },
    { scope: "mesh", reason: "sync", confirm, leaving, rollOut: true },
  );
};

describe("a cluster that joins while a full run looks", () => {
  it("stays, though the list of that run does not hold it as a member", async () => {
    const mesh = await aJoinedMesh(3);
    const [newcomer] = mesh.clusters;
    unlabel(mesh, newcomer!);
    const run = mesh.run();
    const directory: ClusterDirectory = {
      get: (...given) => mesh.directory.get(...given),
      async list(project, signal) {
        const listed = await mesh.directory.list(project, signal);
        mesh.directory.put(newcomer!);
        expect(await mesh.join(newcomer!)).toMatchObject({ retry: false, errors: [] });
        return listed;
      },
    };
    const late = { ...run, ports: { ...run.ports, sources: gkeSources(directory) } };
    await reconcile(late, { scope: "mesh", reason: "test" });
    await expectJoined(mesh);
  });

  it("stays, though GKE was asked for it before it got its label back", async () => {
    const mesh = await aJoinedMesh(3);
    const [newcomer] = mesh.clusters;
    unlabel(mesh, newcomer!);
    const run = mesh.run();
    const directory: ClusterDirectory = {
      list: (...given) => mesh.directory.list(...given),
      async get(...given) {
        const answer = await mesh.directory.get(...given);
        mesh.directory.put(newcomer!);
        expect(await mesh.join(newcomer!)).toMatchObject({ retry: false, errors: [] });
        return answer;
      },
    };
    const late = { ...run, ports: { ...run.ports, sources: gkeSources(directory) } };
    await reconcile(late, { scope: "mesh", reason: "test" });
    await expectJoined(mesh);
  });

  it("stays, though the members held credentials of an earlier cluster of its name when that run looked", async () => {
    const mesh = await aJoinedMesh(3);
    const [old, ...rest] = mesh.clusters;
    const again = aCluster({ name: old!.ref.name, id: "another" });
    mesh.fleet.add(again);
    mesh.directory.put({ ...again, status: "PROVISIONING" });
    const run = mesh.run();
    const directory: ClusterDirectory = {
      list: (...given) => mesh.directory.list(...given),
      async get(...given) {
        mesh.directory.put(again);
        expect(await mesh.join(again)).toMatchObject({ retry: false, errors: [] });
        return await mesh.directory.get(...given);
      },
    };
    const late = { ...run, ports: { ...run.ports, sources: gkeSources(directory) } };
    await reconcile(late, { scope: "mesh", reason: "test" });
    await expectJoined(mesh, [again, ...rest]);
  });
});

describe("the event of a cluster that is deleted", () => {
  it.each<[string, (mesh: FakeMesh) => void]>([
    ["the names of the root secret cannot be read", ({ roots }) => roots.deny()],
    ["no root signs", ({ roots }) => roots.setAliases({})],
  ])("is carried out although %s: a removal needs no root", async (_, spoil) => {
    const mesh = await aJoinedMesh(3);
    const [leaver, ...rest] = mesh.clusters;
    mesh.directory.delete(leaver!.ref);
    spoil(mesh);
    expect(await leave(mesh, leaver!)).toMatchObject({ retry: false, errors: [] });
    await expectJoined(mesh, rest);
  });
});

describe("a member that has left", () => {
  it.each<[string, (mesh: FakeMesh, cluster: Cluster) => void]>([
    ["is deleted", (mesh, cluster) => mesh.directory.delete(cluster.ref)],
    ["is being deleted", (mesh, cluster) => mesh.directory.put({ ...cluster, status: "STOPPING" })],
  ])("is forgotten by all others when it %s, by its event and by the full run alike", async (_, depart) => {
    for (const scope of ["event", "mesh"] as const) {
      const mesh = await aJoinedMesh(3);
      const [leaver, ...rest] = mesh.clusters;
      depart(mesh, leaver!);
      const { summary, retry, errors } = await (scope === "mesh"
        ? mesh.reconcile("mesh")
        : leave(mesh, leaver!));
      expect({ retry, errors }).toEqual({ retry: false, errors: [] });
      expect(summary.pairs.filter(({ outcome }) => outcome === "deleted")).toHaveLength(4);
      await expectJoined(mesh, rest);

      const before = versionsOf(mesh);
      expect((await mesh.reconcile("mesh")).summary.outcome).toBe("unchanged");
      expect(versionsOf(mesh)).toEqual(before);
    }
  });

  it("by its label alone, and still runs, keeps its CA and istiod, and loses every way into the others and out of them when its grace is over", async () => {
    const mesh = await aJoinedMesh(3);
    const [leaver] = mesh.clusters;
    unlabel(mesh, leaver!);
    const before = versionsOf(mesh);
    const event = await leave(mesh, leaver!);
    expect(event).toMatchObject({ retry: false, errors: [], summary: { outcome: "unchanged" } });
    expect(reasonsOf(event.summary.findings)).toEqual(["MemberLeft"]);
    expect(versionsOf(mesh)).toEqual(before);

    expect(reasonsOf((await mesh.reconcile("mesh")).summary.findings)).toEqual(["MemberLost"]);
    await expectJoined(mesh);
    mesh.clock.advance(mesh.spec.leaveGrace);
    const { summary } = await mesh.reconcile("mesh");
    expect(reasonsOf(summary.findings)).toEqual(["TrustedLeaver"]);
    expect(secretsOf(mesh, leaver!).map(({ metadata }) => metadata.name)).toEqual(["cacerts"]);
    const deployment = {
      apiVersion: "apps/v1",
      kind: "Deployment",
      namespace: ISTIO_NAMESPACE,
      name: "istiod",
    };
    expect(mesh.fleet.server(leaver!).store.get(deployment)).toBeDefined();
  });

  it("comes back as a member when it is labelled again", async () => {
    const mesh = await aJoinedMesh(3);
    const [leaver, ...rest] = mesh.clusters;
    await loseForGood(mesh, leaver!);
    await mesh.reconcile("mesh");
    await expectJoined(mesh, rest);
    mesh.directory.put(leaver!);
    expect(await mesh.join(leaver!)).toMatchObject({ retry: false, errors: [] });
    await expectJoined(mesh);
  });

  it("stays where nothing proves its absence", async () => {
    const mesh = await aJoinedMesh(3);
    const [leaver] = mesh.clusters;
    mesh.directory.delete(leaver!.ref);
    mesh.directory.missing([leaver!.ref.location]);
    mesh.directory.failNext(new UnavailableError("no answer; try again", { code: "Unavailable" }));
    const before = versionsOf(mesh);
    await expect(leave(mesh, leaver!)).rejects.toMatchObject({ code: "Unavailable" });
    expect(versionsOf(mesh)).toEqual(before);
  });

  it.each([
    ["cluster-id", "another"],
    ["cluster-resource", "projects/shop/locations/us-east1/clusters/never-made"],
  ] as const)(
    "is none that a list leaves out, whatever somebody has made of %s on one of the others",
    async (key, value) => {
      const ape = aCluster({ name: "ape", location: "us-east1" });
      const clusters = ["m1", "m2", "m3"].map((name) => aCluster({ name }));
      const mesh = await aMesh({ clusters: [ape, ...clusters] });
      await mesh.reconcile("mesh");
      const { store } = mesh.fleet.server(clusters[2]!);
      const own = secretsOf(mesh, clusters[2]!).find(
        ({ metadata }) => metadata.name === `meshjoin-reader-${ID(ape)}`,
      );
      const annotations = { ...own!.metadata.annotations, [annotation(key)]: value };
      store.write({ ...own!, metadata: { ...own!.metadata, annotations } }, "kubectl");
      const before = versionsOf(mesh);
      mesh.directory.missing([ape.ref.location]);
      const { summary } = await mesh.reconcile("mesh");
      expect(reasonsOf(summary.findings)).toEqual(["ListingIncomplete", "AbsenceNotProved"]);
      expect(versionsOf(mesh)).toEqual(before);
    },
  );

  it("takes nobody else's Secret with it", async () => {
    const mesh = await aJoinedMesh(3);
    const [leaver, other] = mesh.clusters;
    const byHand = secret(`istio-remote-secret-${ID(leaver!)}-copy`, { [ID(leaver!)]: "{}" });
    const annotations = { [annotation("cluster-id")]: leaver!.id };
    const { store } = mesh.fleet.server(other!);
    store.write({ ...byHand, metadata: { ...byHand.metadata, annotations } }, "kubectl");
    mesh.directory.delete(leaver!.ref);
    await leave(mesh, leaver!);
    const names = secretsOf(mesh, other!).map(({ metadata }) => metadata.name);
    expect(names.filter((name) => name.includes(ID(leaver!)))).toEqual([byHand.metadata.name]);
  });

  it("does not wait for a member that cannot be reached; the full run takes the rest", async () => {
    const mesh = await aJoinedMesh(4);
    const [leaver, silent, ...rest] = mesh.clusters;
    mesh.directory.delete(leaver!.ref);
    mesh.fleet.server(silent!).faults.unreachable = true;
    const { summary, retry } = await leave(mesh, leaver!);
    expect(retry).toBe(false);
    expect(reasonsOf(summary.findings)).toEqual(["ApiServerUnreachable"]);
    for (const member of rest) {
      expect(secretsOf(mesh, member).filter(({ metadata }) => metadata.name.includes(ID(leaver!)))).toEqual(
        [],
      );
    }
    mesh.fleet.server(silent!).faults.unreachable = false;
    await mesh.reconcile("mesh");
    await expectJoined(mesh, [silent!, ...rest]);
  });
});

describe("a reader that cannot be reached", () => {
  it("reads a leaver that still runs with a token that lives, until a run reaches it", async () => {
    const mesh = await aJoinedMesh(4);
    const [leaver, silent, ...rest] = mesh.clusters;
    unlabel(mesh, leaver!);
    mesh.fleet.server(silent!).faults.unreachable = true;
    await mesh.reconcile("mesh", { leaving: [ID(leaver!)] });
    expect(secretsOf(mesh, leaver!).map(({ metadata }) => metadata.name)).toEqual([
      "cacerts",
      `meshjoin-reader-${ID(silent!)}`,
    ]);
    mesh.fleet.server(silent!).faults.unreachable = false;
    await mesh.reconcile("mesh");
    expect(secretsOf(mesh, leaver!).map(({ metadata }) => metadata.name)).toEqual(["cacerts"]);
    await expectJoined(mesh, [silent!, ...rest]);
  });
});

describe("a reader that a run does not list", () => {
  it.each<[string, Partial<MeshSpec>, (mesh: FakeMesh) => void]>([
    ["the configuration leaves it out", { projects: ["shop"] }, () => undefined],
    ["GKE refuses its project", {}, ({ directory }) => directory.refuse("zoo")],
  ])("reads a leaver with a token that lives, until a run sees it: %s", async (_, spec, spoil) => {
    const mesh = await aMeshOfTwoProjects();
    const [leaver, m2, ape] = mesh.clusters;
    unlabel(mesh, leaver!);
    spoil(mesh);
    const { summary } = await narrow(mesh, spec, [], [ID(leaver!)]);
    expect(secretsOf(mesh, m2!).filter(({ metadata }) => metadata.name.includes(ID(leaver!)))).toEqual([]);
    expect(secretsOf(mesh, leaver!).map(({ metadata }) => metadata.name)).toEqual([
      "cacerts",
      `meshjoin-reader-${ID(ape!)}`,
    ]);
    expect(summary.findings).toContainEqual(
      expect.objectContaining({
        reason: "RevocationWaits",
        clusterId: ID(leaver!),
        message: expect.stringContaining(ID(ape!)),
      }),
    );

    mesh.directory.permit("zoo");
    await mesh.reconcile("mesh");
    expect(secretsOf(mesh, leaver!).map(({ metadata }) => metadata.name)).toEqual(["cacerts"]);
    await expectJoined(mesh, [m2!, ape!]);
  });
});

describe("many members that leave at once", () => {
  it("stay until somebody confirms it", async () => {
    const mesh = await aJoinedMesh(4);
    const [stays, ...leavers] = mesh.clusters;
    unlabel(mesh, ...leavers);
    expect(reasonsOf((await mesh.reconcile("mesh")).summary.findings)).toEqual(["MassLeave", "MemberLost"]);
    const before = versionsOf(mesh);
    for (let hours = 0; hours < 3; hours += 1) {
      mesh.clock.advance(mesh.spec.leaveGrace);
      const { summary } = await mesh.reconcile("mesh");
      expect([summary.outcome, reasonsOf(summary.findings)]).toEqual([
        "unchanged",
        ["MassLeave", "MemberLost"],
      ]);
    }
    expect(reasonsOf((await leave(mesh, leavers[0]!)).summary.findings)).toEqual(["MemberLeft"]);
    expect(versionsOf(mesh)).toEqual(before);

    await mesh.reconcile("mesh", { confirm: ["MassLeave"] });
    await expectJoined(mesh, [stays!]);
  });

  it("stay as well when they lose their labels one after the other, each with its event", async () => {
    const mesh = await aJoinedMesh(6);
    const before = versionsOf(mesh);
    for (const leaver of mesh.clusters.slice(1)) {
      unlabel(mesh, leaver);
      await leave(mesh, leaver);
    }
    expect(versionsOf(mesh)).toEqual(before);
    expect(reasonsOf((await mesh.reconcile("mesh")).summary.findings)).toEqual(["MassLeave", "MemberLost"]);
    await expectJoined(mesh);
  });

  it("are gone at once when they are proved deleted", async () => {
    const mesh = await aJoinedMesh(4);
    const [stays, ...leavers] = mesh.clusters;
    for (const { ref } of leavers) mesh.directory.delete(ref);
    await mesh.reconcile("mesh");
    await expectJoined(mesh, [stays!]);
  });
});

describe("a cluster that is no member for another reason than that it has left", () => {
  it.each<[string, Partial<MeshSpec>]>([
    ["list of projects", { projects: ["shop"] }],
    ["allow-list", { allow: ["m*"] }],
  ])("keeps everything under a shorter %s, until that is confirmed by its name", async (_, spec) => {
    const mesh = await aMeshOfTwoProjects();
    const before = versionsOf(mesh);
    for (const confirm of [[], ["MassLeave"]]) {
      const { summary } = await narrow(mesh, spec, confirm);
      expect(reasonsOf(summary.findings)).toEqual(["NotConfigured"]);
      expect(versionsOf(mesh)).toEqual(before);
    }
    await narrow(mesh, spec, ["NotConfigured"]);
    const [m1, m2, ape] = mesh.clusters;
    await expectJoined(mesh, [m1!, m2!]);
    expect(secretsOf(mesh, ape!).map(({ metadata }) => metadata.name)).toEqual(["cacerts"]);
  });

  it.each(["ERROR", "STATUS_UNSPECIFIED"] as const)(
    "is neither taken out while GKE gives it the status %s, nor taken in",
    async (status) => {
      const mesh = await aJoinedMesh(3);
      const [odd] = mesh.clusters;
      mesh.directory.put({ ...odd!, status });
      const before = versionsOf(mesh);
      for (const scope of ["mesh", { clusterId: ID(odd!) }] as const) {
        const { summary } = await mesh.reconcile(scope);
        expect(reasonsOf(summary.findings)).toEqual(["AbsenceNotProved"]);
      }
      expect(versionsOf(mesh)).toEqual(before);
    },
  );

  it("stays when the list leaves its region out by the names of its zones, and GKE does not say more", async () => {
    const regional = aCluster({ name: "regional", location: "us-east1" });
    const mesh = await aMesh({
      clusters: [aCluster({ name: "m1" }), aCluster({ name: "m2" }), regional],
    });
    await mesh.reconcile("mesh");
    const before = versionsOf(mesh);
    const { directory } = mesh;
    const left: ClusterDirectory = {
      list: async (project, signal) => {
        const { clusters } = await directory.list(project, signal);
        const answered = clusters.filter(({ ref }) => ref.location !== "us-east1");
        return { clusters: answered, missingLocations: ["us-east1-b", "us-east1-c", "us-east1-d"] };
      },
      get: () => Promise.reject(new UnavailableError("no answer; try again", { code: "Unavailable" })),
    };
    const begun = mesh.run();
    const run = { ...begun, ports: { ...begun.ports, sources: gkeSources(left) } };
    const { summary } = await reconcile(run, { scope: "mesh", reason: "test", rollOut: true });
    expect(reasonsOf(summary.findings)).toEqual(["ListingIncomplete", "AbsenceNotProved"]);
    expect(versionsOf(mesh)).toEqual(before);
  });
});

describe("an istiod whose secret controller stands still", () => {
  it("is named, and the leaver's token lives until it moves again", async () => {
    const mesh = await aJoinedMesh(3);
    const [leaver, stuck, other] = mesh.clusters;
    const { istiod } = mesh.fleet.server(stuck!);
    mesh.directory.delete(leaver!.ref);
    istiod.stuck = true;
    const { summary } = await leave(mesh, leaver!, { signal: AbortSignal.timeout(300) });
    expect(summary.findings).toMatchObject([{ reason: "IstiodStuck", clusterId: ID(stuck!) }]);
    const names = secretsOf(mesh, stuck!).map(({ metadata }) => metadata.name);
    expect(names).toContain(`meshjoin-reader-${ID(leaver!)}`);
    expect(names).not.toContain(`istio-remote-secret-${ID(leaver!)}`);

    istiod.stuck = false;
    expect(await mesh.reconcile("mesh")).toMatchObject({ retry: false, errors: [] });
    await expectJoined(mesh, [stuck!, other!]);
  });
});

describe("a run that dies while a member leaves", () => {
  it.each(["dieAfter", "loseAnswer"] as const)(
    "(%s, any write) is made good by the next one",
    async (fault) => {
      const whole = await aJoinedMesh(3);
      await loseForGood(whole, whole.clusters[0]!);
      const counting = processFaults();
      await whole.reconcile("mesh", { faults: counting });
      expect(counting.writes).toBe(11); // the records of both that stay, too
      for (let k = 1; k <= counting.writes; k += 1) {
        const mesh = await aJoinedMesh(3);
        const [leaver, ...rest] = mesh.clusters;
        await loseForGood(mesh, leaver!);
        const faults = processFaults();
        faults.onWrite(k, fault);
        await mesh.reconcile("mesh", { faults }).catch((error: unknown) => {
          if (!(error instanceof ProcessDeath)) throw error;
        });
        expect(await mesh.reconcile("mesh")).toMatchObject({ retry: false, errors: [] });
        await expectJoined(mesh, rest);
        const { left } = await collectStatus(mesh.run());
        expect(left).toMatchObject([{ clusterId: ID(leaver!) }]);
      }
    },
  );

  it("loses nothing of a cluster that has the leaver's name now", async () => {
    const mesh = await aJoinedMesh(3);
    const [old, ...rest] = mesh.clusters;
    const again = aCluster({ name: old!.ref.name, id: "another" });
    mesh.directory.put(again);
    mesh.fleet.add(again);
    await mesh.join(again);
    await leave(mesh, again);
    await expectJoined(mesh, [again, ...rest]);
  });
});

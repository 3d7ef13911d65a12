import { describe, expect, it } from "@jest/globals";
import { applySecretNotes } from "../../../shared/apply/secret-notes.ts";
import type { Cluster } from "../../../shared/core/cluster/cluster.ts";
import { annotation, clusterId, ISTIO_NAMESPACE } from "../../../shared/core/names.ts";
import { sentenceTime } from "../../../shared/core/time.ts";
import { preview } from "../../../shared/preview.ts";
import { collectStatus } from "../../../shared/status.ts";
import { aCluster } from "../../support/builders/cluster.ts";
import { ProcessDeath, processFaults } from "../../support/fakes/member-api/faults.ts";
import { aMesh, type FakeMesh } from "../../support/fakes/mesh.ts";
import { expectJoined, inLockstep, secretsOf, stateOf, versionsOf } from "./world.ts";

const MINUTE = 60;
const HOUR = 60 * MINUTE;
const ID = ({ ref }: Cluster) => clusterId(ref);

async function aJoinedMesh(members: number): Promise<FakeMesh> {
  const mesh = await aMesh({ members });
  await mesh.reconcile("mesh");
  await expectJoined(mesh);
  return mesh;
}

/** As `gcloud … --update-labels=team=payments` does. */
function relabel(mesh: FakeMesh, cluster: Cluster, labels: Record<string, string> = { team: "payments" }) {
  mesh.directory.put({ ...cluster, labels });
}

const eventOf = (mesh: FakeMesh, cluster: Cluster) => mesh.reconcile({ clusterId: ID(cluster) });

const reasonsOf = (findings: readonly { readonly reason: string }[]) =>
  [...new Set(findings.map(({ reason }) => reason))].toSorted();

const lostIn = (findings: readonly { readonly reason: string; readonly clusterId?: string }[]) =>
  findings.filter(({ reason }) => reason === "MemberLost").map(({ clusterId: id }) => id);

/** Names of the Secrets in each cluster that carry the note of a loss. */
const notesOf = (mesh: FakeMesh) =>
  mesh.clusters.flatMap((cluster) =>
    secretsOf(mesh, cluster).flatMap(
      ({ metadata }) => metadata.annotations?.[annotation("lost-since")] ?? [],
    ),
  );

/** The errors of a full run, of the status, and of the plan. */
async function surfaces(mesh: FakeMesh) {
  const { summary } = await mesh.reconcile("mesh");
  const status = await collectStatus(mesh.run());
  const plan = await preview(mesh.run(), { scope: "mesh", reason: "test" });
  return [summary.findings, status.findings, plan.findings];
}

describe("labels that vanish from the whole mesh", () => {
  it.each<[string, (mesh: FakeMesh) => Promise<void>]>([
    [
      "one cluster every seven seconds, with its event and a full run between",
      async (mesh) => {
        for (const cluster of mesh.clusters) {
          relabel(mesh, cluster);
          await eventOf(mesh, cluster);
          await mesh.reconcile("mesh");
          mesh.clock.advance(7);
        }
      },
    ],
    [
      "side by side, with their events at the same time",
      async (mesh) => {
        await Promise.all(
          mesh.clusters.map(async (cluster) => {
            relabel(mesh, cluster);
            await eventOf(mesh, cluster);
          }),
        );
      },
    ],
    [
      "before the first event",
      async (mesh) => {
        for (const cluster of mesh.clusters) relabel(mesh, cluster);
        for (const cluster of mesh.clusters) await eventOf(mesh, cluster);
      },
    ],
  ])("take nothing away, and are an error everywhere until they are back: %s", async (_, lose) => {
    const mesh = await aJoinedMesh(4);
    await lose(mesh);
    for (let hours = 0; hours < 4; hours += 1) {
      for (const findings of await surfaces(mesh)) {
        expect(lostIn(findings)).toEqual(mesh.clusters.map(ID));
        expect(reasonsOf(findings)).toContain("MassLeave");
      }
      mesh.clock.advance(HOUR);
    }
    await expectJoined(mesh);

    for (const cluster of mesh.clusters) mesh.directory.put(cluster);
    await mesh.reconcile("mesh");
    await expectJoined(mesh);
    expect(notesOf(mesh)).toEqual([]);
    const before = versionsOf(mesh);
    expect((await mesh.reconcile("mesh")).summary).toMatchObject({ outcome: "unchanged", findings: [] });
    expect(versionsOf(mesh)).toEqual(before);
  });

  it("are one mass leave, which says that they can be taken back, and when the tokens end", async () => {
    const mesh = await aJoinedMesh(3);
    const end = sentenceTime(new Date(mesh.clock.now().getTime() + mesh.spec.tokenTtl * 1000));
    for (const cluster of mesh.clusters) relabel(mesh, cluster);
    const { findings } = (await mesh.reconcile("mesh")).summary;
    const [mass, ...others] = findings.filter(({ reason }) => reason === "MassLeave");
    expect(others).toEqual([]);
    expect(mass?.message).toContain(
      `3 of 3 members have lost the label mesh_id: ${mesh.clusters.map(ID).join(", ")};`,
    );
    expect(mass?.message).toContain(end);
    expect(mass?.cure).toMatch(/^take them back .* MemberLost .* sync --yes$/);
  });

  it("dissolve the mesh when a person confirms it, those within the grace at once", async () => {
    const mesh = await aJoinedMesh(3);
    for (const cluster of mesh.clusters) relabel(mesh, cluster);
    await mesh.reconcile("mesh", { confirm: ["MassLeave"] });
    for (const cluster of mesh.clusters)
      expect(secretsOf(mesh, cluster).map(({ metadata }) => metadata.name)).toEqual(["cacerts"]);
    expect((await mesh.reconcile("mesh")).summary).toMatchObject({ outcome: "unchanged", findings: [] });
  });
});

describe("a member that loses its label", () => {
  it.each<[string, Record<string, string>, string]>([
    ["is taken back by its command", { team: "payments" }, "meshjoin label cn-shop-europe-west1-m1;"],
    [
      "is taken back from another value with all its labels",
      { mesh_id: "pord", team: "payments" },
      "gcloud container clusters update m1 --project=shop --location=europe-west1 --update-labels=mesh_id=prod,team=payments;",
    ],
  ])("is named with its time, and %s", async (_, labels, command) => {
    const mesh = await aJoinedMesh(4);
    const [lost] = mesh.clusters;
    const since = mesh.clock.now();
    relabel(mesh, lost!, labels);
    const end = sentenceTime(new Date(since.getTime() + HOUR * 1000));
    await mesh.reconcile("mesh");
    mesh.clock.advance(10 * MINUTE);
    for (const findings of await surfaces(mesh)) {
      expect(findings).toEqual([
        expect.objectContaining({
          reason: "MemberLost",
          severity: "error",
          clusterId: ID(lost!),
          message: expect.stringContaining(sentenceTime(since)),
          cure: expect.stringContaining(command),
        }),
      ]);
      expect(findings[0]?.message).toContain(end);
    }
  });

  it("keeps its credentials through the grace, whatever comes, and loses them with the first full run after it", async () => {
    const mesh = await aJoinedMesh(4);
    const [lost, ...rest] = mesh.clusters;
    relabel(mesh, lost!);
    await mesh.reconcile("mesh");
    const before = versionsOf(mesh);
    for (let minutes = 0; minutes < 60; minutes += 10) {
      await eventOf(mesh, lost!);
      expect((await mesh.reconcile("mesh")).summary.outcome).toBe("unchanged");
      mesh.clock.advance(10 * MINUTE);
    }
    expect(versionsOf(mesh)).toEqual(before);
    expect((await eventOf(mesh, lost!)).summary.outcome).toBe("unchanged");
    expect((await mesh.reconcile("mesh")).summary.outcome).toBe("deleted");
    await expectJoined(mesh, rest);
    expect(secretsOf(mesh, lost!).map(({ metadata }) => metadata.name)).toEqual(["cacerts"]);
    expect((await mesh.reconcile("mesh")).summary).toMatchObject({ outcome: "unchanged", findings: [] });
  });

  it("leaves no trace when it has its label again in time, and a later loss has a grace of its own", async () => {
    const mesh = await aJoinedMesh(3);
    const before = stateOf(mesh);
    const [lost] = mesh.clusters;
    relabel(mesh, lost!);
    await mesh.reconcile("mesh");
    expect(notesOf(mesh)).toHaveLength(4);
    mesh.clock.advance(50 * MINUTE);
    mesh.directory.put(lost!);
    expect((await eventOf(mesh, lost!)).summary.outcome).toBe("updated");
    expect((await mesh.reconcile("mesh")).summary).toMatchObject({ outcome: "unchanged", findings: [] });
    expect(stateOf(mesh)).toEqual(before);

    relabel(mesh, lost!);
    await mesh.reconcile("mesh");
    mesh.clock.advance(50 * MINUTE);
    await mesh.reconcile("mesh");
    await expectJoined(mesh);
  });

  it("comes back while its tokens are due, in one run", async () => {
    const mesh = await aJoinedMesh(3);
    const [lost] = mesh.clusters;
    relabel(mesh, lost!);
    await mesh.reconcile("mesh");
    mesh.clock.advance(mesh.spec.tokenTtl);
    mesh.directory.put(lost!);
    expect(await mesh.reconcile("mesh")).toMatchObject({ retry: false, errors: [] });
    await expectJoined(mesh);
    expect(notesOf(mesh)).toEqual([]);
  });

  it("has a grace that an old note on a member that was away does not shorten", async () => {
    const mesh = await aJoinedMesh(4);
    const [lost, , away] = mesh.clusters;
    relabel(mesh, lost!);
    await mesh.reconcile("mesh");
    mesh.directory.put(lost!);
    mesh.fleet.server(away!).faults.unreachable = true;
    await mesh.reconcile("mesh");
    mesh.clock.advance(24 * HOUR);
    relabel(mesh, lost!);
    await mesh.reconcile("mesh");
    mesh.fleet.server(away!).faults.unreachable = false;
    await mesh.reconcile("mesh");
    await expectJoined(mesh);
  });

  it("is gone with the next full run where there is no grace", async () => {
    const mesh = await aMesh({ members: 3, spec: { leaveGrace: 0 } });
    await mesh.reconcile("mesh");
    relabel(mesh, mesh.clusters[0]!);
    await mesh.reconcile("mesh");
    await expectJoined(mesh, mesh.clusters.slice(1));
  });

  it("is noted by two runs at once without a conflict", async () => {
    const mesh = await aJoinedMesh(3);
    relabel(mesh, mesh.clusters[0]!);
    inLockstep(mesh);
    const both = await Promise.all([mesh.reconcile("mesh"), mesh.reconcile("mesh")]);
    for (const { retry, errors } of both) expect({ retry, errors }).toEqual({ retry: false, errors: [] });
    expect(notesOf(mesh)).toHaveLength(4);
    expect((await mesh.reconcile("mesh")).summary.outcome).toBe("unchanged");
  });

  it("gets no note on a Secret that another run has written or deleted since the look", async () => {
    const mesh = await aJoinedMesh(2);
    const [lost, peer] = mesh.clusters;
    const name = `istio-remote-secret-${ID(lost!)}`;
    const { store } = mesh.fleet.server(peer!);
    const api = mesh.fleet.process().member(peer!);
    const seen = secretsOf(mesh, peer!).find(({ metadata }) => metadata.name === name)!;
    const { uid = "", resourceVersion = "" } = seen.metadata;
    const notes = { lostSince: mesh.clock.now(), silentSince: undefined, lastGateway: undefined };
    const written = async () =>
      await applySecretNotes(api, { name, uid, resourceVersion }, notes, AbortSignal.timeout(1000));
    const data = { ...seen.metadata.annotations, [annotation("token-expires-at")]: "2026-04-01T00:00:00Z" };
    store.write({ ...seen, metadata: { ...seen.metadata, annotations: data } }, "meshjoin");
    await expect(written()).rejects.toMatchObject({ code: "Conflict" });
    expect(notesOf(mesh)).toEqual([]);
    store.delete({ apiVersion: "v1", kind: "Secret", namespace: ISTIO_NAMESPACE, name }, uid);
    await expect(written()).rejects.toMatchObject({ code: "Conflict" });
    expect(secretsOf(mesh, peer!).map(({ metadata }) => metadata.name)).not.toContain(name);
  });

  it.each(["dieAfter", "loseAnswer"] as const)("is noted in the end by runs that die (%s)", async (fault) => {
    for (let k = 1; k <= 4; k += 1) {
      const mesh = await aJoinedMesh(3);
      const since = mesh.clock.now().toISOString();
      relabel(mesh, mesh.clusters[0]!);
      const faults = processFaults();
      faults.onWrite(k, fault);
      await mesh.reconcile("mesh", { faults }).catch((error: unknown) => {
        if (!(error instanceof ProcessDeath)) throw error;
      });
      mesh.clock.advance(10 * MINUTE);
      await mesh.reconcile("mesh");
      // As far as the second run can tell, a note that it finds may be of an earlier loss.
      expect(notesOf(mesh)).toHaveLength(4);
      expect([since, mesh.clock.now().toISOString()]).toEqual(expect.arrayContaining(notesOf(mesh)));
    }
  });
});

describe("a member that a person takes out", () => {
  it("goes at once, and is no part of a mass leave, though others have lost their labels", async () => {
    const mesh = await aJoinedMesh(4);
    const [lost, leaver, ...rest] = mesh.clusters;
    relabel(mesh, lost!);
    await mesh.reconcile("mesh");
    relabel(mesh, leaver!);
    const { findings } = (await mesh.reconcile("mesh", { leaving: [ID(leaver!)] })).summary;
    expect(reasonsOf(findings)).toEqual(["MemberLost", "TrustedLeaver"]);
    expect(lostIn(findings)).toEqual([ID(lost!)]);
    await expectJoined(mesh, [lost!, ...rest]);
    expect(secretsOf(mesh, leaver!).map(({ metadata }) => metadata.name)).toEqual(["cacerts"]);
  });

  it("raises no alarm by its event, even if most have gone before it", async () => {
    const mesh = await aJoinedMesh(4);
    for (const leaver of mesh.clusters.slice(0, 3)) {
      relabel(mesh, leaver);
      const { findings } = (await eventOf(mesh, leaver)).summary;
      expect(findings.map(({ severity }) => severity)).toEqual(["info"]);
      await mesh.reconcile("mesh", { leaving: [ID(leaver)] });
    }
    expect((await mesh.reconcile("mesh")).summary.findings).toEqual([]);
  });

  it("is no loss for the runs after it that finish what the first could not reach", async () => {
    const mesh = await aJoinedMesh(4);
    const [leaver, silent, ...rest] = mesh.clusters;
    relabel(mesh, leaver!);
    mesh.fleet.server(silent!).faults.unreachable = true;
    await mesh.reconcile("mesh", { leaving: [ID(leaver!)] });
    mesh.fleet.server(silent!).faults.unreachable = false;
    const { findings } = (await mesh.reconcile("mesh")).summary;
    expect(reasonsOf(findings)).toEqual(["TrustedLeaver"]);
    await expectJoined(mesh, [silent!, ...rest]);
  });

  it("is told as gone and trusted, though another run has removed everything before", async () => {
    const mesh = await aJoinedMesh(3);
    const [leaver] = mesh.clusters;
    relabel(mesh, leaver!);
    await mesh.reconcile("mesh", { leaving: [ID(leaver!)] });
    const { findings } = (await mesh.reconcile("mesh", { leaving: [ID(leaver!)] })).summary;
    expect(reasonsOf(findings)).toEqual(["TrustedLeaver"]);
  });

  it("has a note of that on its namespace until it joins again, and is lost like any other then", async () => {
    const mesh = await aJoinedMesh(3);
    const [leaver] = mesh.clusters;
    const noteOf = () => {
      const ref = { apiVersion: "v1", kind: "Namespace", name: ISTIO_NAMESPACE };
      const { annotations } = mesh.fleet.server(leaver!).store.get(ref)?.metadata ?? {};
      return annotations?.[annotation("left-at")];
    };
    relabel(mesh, leaver!);
    await mesh.reconcile("mesh", { leaving: [ID(leaver!)] });
    expect(noteOf()).toBe(mesh.clock.now().toISOString());
    mesh.directory.put(leaver!);
    await mesh.join(leaver!);
    expect(noteOf()).toBeUndefined();
    await expectJoined(mesh);
    relabel(mesh, leaver!);
    expect(reasonsOf((await mesh.reconcile("mesh")).summary.findings)).toEqual(["MemberLost"]);
    await expectJoined(mesh);
  });
});

describe("a member that is deleted", () => {
  it("goes at once, though others have lost their labels, by its event and by the full run alike", async () => {
    for (const scope of ["event", "mesh"] as const) {
      const mesh = await aJoinedMesh(4);
      const [gone, lost, ...rest] = mesh.clusters;
      relabel(mesh, lost!);
      await mesh.reconcile("mesh");
      mesh.directory.delete(gone!.ref);
      await (scope === "mesh" ? mesh.reconcile("mesh") : eventOf(mesh, gone!));
      await expectJoined(mesh, [lost!, ...rest]);
    }
  });
});

describe("a mesh without a member", () => {
  it("is lost if its only one has lost the label, and not if that was taken out", async () => {
    const mesh = await aJoinedMesh(1);
    const [only] = mesh.clusters;
    relabel(mesh, only!);
    for (const findings of await surfaces(mesh)) expect(lostIn(findings)).toEqual([ID(only!)]);
    await mesh.reconcile("mesh", { leaving: [ID(only!)] });
    for (const findings of await surfaces(mesh)) expect(findings).toEqual([]);
  });

  it("is lost, too, where the namespace is a person's", async () => {
    const mesh = await aJoinedMesh(1);
    const [only] = mesh.clusters;
    const { store } = mesh.fleet.server(only!);
    const namespace = store.get({ apiVersion: "v1", kind: "Namespace", name: ISTIO_NAMESPACE })!;
    store.write({ ...namespace, metadata: { ...namespace.metadata, labels: {} } }, "kubectl");
    relabel(mesh, only!);
    for (const findings of await surfaces(mesh)) expect(lostIn(findings)).toEqual([ID(only!)]);
  });

  it("has lost nobody where all have left one after the other", async () => {
    const mesh = await aJoinedMesh(3);
    for (const leaver of mesh.clusters) {
      relabel(mesh, leaver);
      await mesh.reconcile("mesh", { leaving: [ID(leaver)] });
    }
    for (const findings of await surfaces(mesh)) expect(findings).toEqual([]);
  });

  it("has lost nobody under an ID that is mistyped, and nobody where none ever joined", async () => {
    const mesh = await aJoinedMesh(2);
    const run = mesh.run();
    const mistyped = await collectStatus({ ...run, spec: { ...run.spec, meshId: "pord" } });
    expect(mistyped.findings).toEqual([]);
    const fresh = await aMesh({ clusters: [aCluster({ name: "new", labels: {} })] });
    expect((await collectStatus(fresh.run())).findings).toEqual([]);
  });

  it("tells of clusters that it could not ask, and of those that an allow-list leaves out", async () => {
    const mesh = await aJoinedMesh(3);
    for (const cluster of mesh.clusters) relabel(mesh, cluster);
    mesh.fleet.server(mesh.clusters[0]!).faults.unreachable = true;
    mesh.fleet.server(mesh.clusters[1]!).faults.forbidden = ["get"];
    const { findings } = (await mesh.reconcile("mesh")).summary;
    expect(lostIn(findings)).toEqual([ID(mesh.clusters[2]!)]);
    expect(findings).toContainEqual(
      expect.objectContaining({
        reason: "LostMembersUnknown",
        severity: "warning",
        message: expect.stringContaining(`${ID(mesh.clusters[0]!)}, ${ID(mesh.clusters[1]!)} did not say`),
      }),
    );

    const whole = await aJoinedMesh(2);
    const run = whole.run();
    const typo = await collectStatus({ ...run, spec: { ...run.spec, allow: ["typo*"] } });
    expect(reasonsOf(typo.findings)).toEqual(["NotConfigured"]);
  });

  it("asks where its members cannot be reached, and takes nothing away", async () => {
    const mesh = await aJoinedMesh(3);
    const [lost, ...silent] = mesh.clusters;
    relabel(mesh, lost!);
    for (const each of silent) mesh.fleet.server(each).faults.unreachable = true;
    for (let hours = 0; hours < 3; hours += 1) {
      expect(lostIn((await mesh.reconcile("mesh")).summary.findings)).toEqual([ID(lost!)]);
      mesh.clock.advance(HOUR);
    }
    for (const each of silent) mesh.fleet.server(each).faults.unreachable = false;
    mesh.directory.put(lost!);
    await mesh.reconcile("mesh");
    await expectJoined(mesh);
  });
});

describe("a second loss", () => {
  it("has a grace of its own, though a member that was unreachable still holds a note of the first", async () => {
    const mesh = await aMesh({ members: 4 });
    await mesh.reconcile("mesh");
    const [lost, away] = mesh.clusters;
    relabel(mesh, lost!);
    await mesh.reconcile("mesh");
    mesh.fleet.server(away!).faults.unreachable = true;
    mesh.directory.put(lost!);
    await mesh.reconcile("mesh");
    mesh.clock.advance(2 * HOUR);
    relabel(mesh, lost!);
    mesh.fleet.server(away!).faults.unreachable = false;
    const before = secretsOf(mesh, away!).length;
    for (const minutes of [0, 59]) {
      mesh.clock.advance(minutes * 60);
      const { summary } = await mesh.reconcile("mesh");
      expect(summary.findings.map(({ reason }) => reason)).toContain("MemberLost");
      expect(secretsOf(mesh, away!)).toHaveLength(before);
    }
    mesh.clock.advance(60);
    await mesh.reconcile("mesh");
    expect(secretsOf(mesh, away!).length).toBeLessThan(before);
  });

  it("has a grace of its own after an event alone saw the label again", async () => {
    const mesh = await aMesh({ members: 4 });
    await mesh.reconcile("mesh");
    const [lost, other] = mesh.clusters;
    relabel(mesh, lost!);
    await mesh.reconcile("mesh");
    mesh.clock.advance(59 * 60);
    mesh.directory.put(lost!);
    await mesh.join(lost!);
    mesh.clock.advance(120);
    relabel(mesh, lost!);
    const before = secretsOf(mesh, other!).length;
    await mesh.reconcile("mesh");
    expect(secretsOf(mesh, other!)).toHaveLength(before);
  });

  it("ends, though a note is of a time to come", async () => {
    const mesh = await aMesh({ members: 4 });
    await mesh.reconcile("mesh");
    const [lost, other] = mesh.clusters;
    relabel(mesh, lost!);
    await mesh.reconcile("mesh");
    const { store } = mesh.fleet.server(other!);
    const noted = secretsOf(mesh, other!).find(
      ({ metadata }) => metadata.annotations?.[annotation("lost-since")],
    );
    const { metadata, ...secret } = noted!;
    const annotations = { ...metadata.annotations, [annotation("lost-since")]: "2099-01-01T00:00:00Z" };
    store.write({ ...secret, metadata: { ...metadata, annotations } }, "kubectl");
    const before = secretsOf(mesh, other!).length;
    mesh.clock.advance(2 * HOUR);
    await mesh.reconcile("mesh");
    expect(secretsOf(mesh, other!)).toHaveLength(before);
    mesh.clock.advance(HOUR);
    await mesh.reconcile("mesh");
    expect(secretsOf(mesh, other!).length).toBeLessThan(before);
  });
});

describe("a member that is no pair with those that are left", () => {
  const DMZ = { project: "shop", name: "dmz" };

  /** Two networks that are not connected: no member of one holds a Secret that names one of the other. */
  async function aMeshApart(near: readonly string[], far: readonly string[]): Promise<FakeMesh> {
    const mesh = await aMesh({
      clusters: [
        ...near.map((name) => aCluster({ name })),
        ...far.map((name) => aCluster({ name, network: DMZ })),
      ],
      spec: { gateways: "never" },
    });
    await mesh.reconcile("mesh");
    return mesh;
  }
  const quiet = async (mesh: FakeMesh) => {
    const before = versionsOf(mesh);
    await mesh.reconcile("mesh");
    expect(versionsOf(mesh)).toEqual(before);
  };

  it("is lost like any other, until its grace is over", async () => {
    const mesh = await aMeshApart(["m1"], ["far"]);
    await quiet(mesh);
    const [, far] = mesh.clusters;
    const since = mesh.clock.now();
    relabel(mesh, far!);
    await mesh.reconcile("mesh");
    mesh.clock.advance(10 * MINUTE);
    await quiet(mesh);
    for (const findings of await surfaces(mesh)) {
      expect(lostIn(findings)).toEqual([ID(far!)]);
      expect(findings.find(({ reason }) => reason === "MemberLost")).toMatchObject({
        message: expect.stringMatching(`first seen at ${sentenceTime(since)}; no member holds credentials`),
        cure: expect.stringContaining(`meshjoin label ${ID(far!)};`),
      });
    }
    mesh.clock.advance(HOUR);
    expect(reasonsOf((await mesh.reconcile("mesh")).summary.findings)).toEqual(["TrustedLeaver"]);
    for (const findings of await surfaces(mesh)) expect(lostIn(findings)).toEqual([]);
    expect((await collectStatus(mesh.run())).left.map(({ clusterId: id }) => id)).toEqual([ID(far!)]);
    await quiet(mesh);
  });

  it("is back with its label, and a later loss has a grace of its own", async () => {
    const mesh = await aMeshApart(["m1"], ["far"]);
    const [, far] = mesh.clusters;
    relabel(mesh, far!);
    await mesh.reconcile("mesh");
    mesh.clock.advance(50 * MINUTE);
    mesh.directory.put(far!);
    await mesh.reconcile("mesh");
    await quiet(mesh);
    relabel(mesh, far!);
    await mesh.reconcile("mesh");
    mesh.clock.advance(50 * MINUTE);
    expect(lostIn((await mesh.reconcile("mesh")).summary.findings)).toEqual([ID(far!)]);
  });

  it("is one of a mass leave, with all others of its network", async () => {
    const mesh = await aMeshApart(["m1"], ["far1", "far2"]);
    for (const cluster of mesh.clusters.slice(1)) relabel(mesh, cluster);
    await mesh.reconcile("mesh");
    mesh.clock.advance(2 * HOUR);
    for (const findings of await surfaces(mesh)) {
      expect(reasonsOf(findings)).toEqual(["MassLeave", "MemberLost"]);
      expect(lostIn(findings)).toEqual(mesh.clusters.slice(1).map(ID));
    }
    await mesh.reconcile("mesh", { confirm: ["MassLeave"] });
    for (const findings of await surfaces(mesh)) expect(lostIn(findings)).toEqual([]);
  });

  it("is no loss where a person takes it out, or it is deleted", async () => {
    const mesh = await aMeshApart(["m1"], ["far1", "far2"]);
    const [, taken, deleted] = mesh.clusters;
    relabel(mesh, taken!, {});
    mesh.directory.delete(deleted!.ref);
    const { summary } = await mesh.reconcile("mesh", { leaving: [ID(taken!)] });
    expect(lostIn(summary.findings)).toEqual([]);
    for (const findings of await surfaces(mesh)) expect(lostIn(findings)).toEqual([]);
    await quiet(mesh);
  });

  it("is on no record where all are pairs, and none that Meshjoin never wrote to", async () => {
    const mesh = await aJoinedMesh(3);
    const guest = mesh.add(aCluster({ name: "guest" }));
    guest.faults.forbidden = ["create", "apply"];
    await mesh.reconcile("mesh");
    relabel(mesh, mesh.clusters[3]!);
    for (const findings of await surfaces(mesh)) expect(lostIn(findings)).toEqual([]);
  });
});

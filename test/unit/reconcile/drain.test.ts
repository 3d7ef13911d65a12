import { afterEach, describe, expect, it, jest } from "@jest/globals";
import { verdictOf } from "../../../shared/core/answers/verdict.ts";
import type { Cluster } from "../../../shared/core/cluster/cluster.ts";
import { annotation, clusterId, drainNoteName, remoteSecretName } from "../../../shared/core/names.ts";
import type { DrainOrder } from "../../../shared/core/request.ts";
import { preview } from "../../../shared/preview.ts";
import { collectStatus } from "../../../shared/status.ts";
import { aCluster } from "../../support/builders/cluster.ts";
import { ProcessDeath, processFaults } from "../../support/fakes/member-api/faults.ts";
import { aMesh, type FakeMesh, type ProcessOptions } from "../../support/fakes/mesh.ts";
import { secret } from "./installations.ts";
import { expectJoined, inLockstep, secretsOf, stateOf, versionsOf, waitShortly } from "./world.ts";

const ID = ({ ref }: Cluster) => clusterId(ref);
const reasonsOf = (findings: readonly { readonly reason: string }[]) => [
  ...new Set(findings.map(({ reason }) => reason)),
];

async function aJoinedMesh(members: number): Promise<FakeMesh> {
  const mesh = await aMesh({ members });
  await mesh.reconcile("mesh");
  await expectJoined(mesh);
  return mesh;
}

/** The member of that number, from 1. */
function member(mesh: FakeMesh, number: number): Cluster {
  const found = mesh.clusters[number - 1];
  if (found === undefined) throw new Error(`no member ${number}`);
  return found;
}

function orderOf(cluster: Cluster, state: DrainOrder["state"], reason = ""): DrainOrder {
  return { clusterId: ID(cluster), state, by: "ann@example.com", reason };
}

const drain = (mesh: FakeMesh, cluster: Cluster, how: ProcessOptions = {}) =>
  mesh.reconcile("mesh", { drain: orderOf(cluster, "drained", "a disk"), ...how });
const undrain = (mesh: FakeMesh, cluster: Cluster, how: ProcessOptions = {}) =>
  mesh.reconcile("mesh", { drain: orderOf(cluster, "serving"), ...how });

/** Sets the label, or takes it off, and lets the list settle. */
function label(mesh: FakeMesh, cluster: Cluster, value: string | undefined): Cluster {
  const { mesh_state: _, ...others } = cluster.labels;
  const labelled = { ...cluster, labels: value === undefined ? others : { ...others, mesh_state: value } };
  mesh.directory.put(labelled);
  mesh.clock.advance(600);
  return labelled;
}

/** Names of the members that hold a remote secret of the target. */
function readersOf(mesh: FakeMesh, target: Cluster): string[] {
  const name = remoteSecretName(ID(target));
  return mesh.clusters.filter((each) => hasSecret(mesh, each, name)).map(({ ref }) => ref.name);
}

function hasSecret(mesh: FakeMesh, cluster: Cluster, name: string): boolean {
  return secretsOf(mesh, cluster).some(({ metadata }) => metadata.name === name);
}

/** What each member has on record about the target: `m1 drained`. */
function notesOn(mesh: FakeMesh, target: Cluster): string[] {
  return mesh.clusters.flatMap((each) =>
    secretsOf(mesh, each)
      .filter(({ metadata }) => metadata.name === drainNoteName(ID(target)))
      .map(({ metadata }) => `${each.ref.name} ${metadata.annotations?.[annotation("drain-state")]}`),
  );
}

async function expectNothingLeft(mesh: FakeMesh): Promise<void> {
  const before = versionsOf(mesh);
  expect((await mesh.reconcile("mesh")).summary.outcome).toBe("unchanged");
  expect(versionsOf(mesh)).toEqual(before);
}

/** Full runs, as the scheduler sends them, until one changes nothing. */
async function runsUntilQuiet(mesh: FakeMesh): Promise<void> {
  for (let runs = 0; runs < 6; runs += 1) {
    const before = versionsOf(mesh);
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    await mesh.reconcile("mesh");
    if (JSON.stringify(versionsOf(mesh)) === JSON.stringify(before)) return;
  }
  throw new Error("runs go on changing something");
}

/** Of the next process; with `of`, before it first writes an object of that name. */
function beforeFirstWrite({ fleet }: FakeMesh, meanwhile: () => Promise<unknown>, of?: string): void {
  const process = fleet.process.bind(fleet);
  let done: Promise<unknown> | undefined;
  jest.spyOn(fleet, "process").mockImplementationOnce((faults) => {
    const own = process(faults);
    const first = async <T>(name: string, write: () => Promise<T>): Promise<T> => {
      if (of === undefined || of === name) await (done ??= meanwhile());
      return await write();
    };
    return {
      ...own,
      member(cluster) {
        const api = own.member(cluster);
        const { writer } = api;
        return {
          ...api,
          writer: {
            ...writer,
            create: async (object, ...more) =>
              await first(object.metadata.name, async () => await writer.create(object, ...more)),
            replace: async (object, ...more) =>
              await first(object.metadata.name, async () => await writer.replace(object, ...more)),
          },
        };
      },
    };
  });
}

afterEach(() => {
  jest.restoreAllMocks();
});

describe("a drain by command", () => {
  it("takes the member from every peer, and leaves it its own way to them", async () => {
    const mesh = await aJoinedMesh(3);
    const target = member(mesh, 2);
    const { summary } = await drain(mesh, target);
    expect(readersOf(mesh, target)).toEqual([]);
    expect(readersOf(mesh, member(mesh, 1))).toEqual(["m2", "m3"]);
    expect(notesOn(mesh, target)).toEqual(["m1 drained", "m2 drained", "m3 drained"]);
    expect(summary.outcome).toBe("deleted");
    expect(reasonsOf(summary.findings)).toEqual(["Drained"]);
  });

  it("outlives every run, and is no trouble of the mesh", async () => {
    const mesh = await aJoinedMesh(3);
    await drain(mesh, member(mesh, 2));
    await expectNothingLeft(mesh);
    await mesh.join(member(mesh, 2));
    await mesh.join(member(mesh, 1));
    expect(readersOf(mesh, member(mesh, 2))).toEqual([]);
    const status = await collectStatus(mesh.run());
    expect(verdictOf(status)).toMatchObject({ health: "whole", text: expect.stringMatching(/1 drained$/) });
    expect(status.members.map(({ drain: { state } }) => state)).toEqual(["none", "present", "none"]);
    expect(status.members[1]?.drain).toMatchObject({ by: "ann@example.com", reason: "a disk" });
    const rows = status.pairs.filter(({ target }) => target === ID(member(mesh, 2)));
    expect(rows.map(({ isDue, probe }) => [isDue, probe.state])).toEqual([
      [false, "absentOnPurpose"],
      [false, "absentOnPurpose"],
    ]);
  });

  it("needs nothing of the member: its API server may be away", async () => {
    const mesh = await aJoinedMesh(3);
    const target = member(mesh, 2);
    mesh.fleet.server(target).faults.unreachable = true;
    const { summary } = await drain(mesh, target);
    expect(readersOf(mesh, target)).toEqual([]);
    expect(notesOn(mesh, target)).toEqual(["m1 drained", "m3 drained"]);
    expect(summary.outcome).toBe("deleted");
    mesh.fleet.server(target).faults.unreachable = false;
    await runsUntilQuiet(mesh);
    expect(notesOn(mesh, target)).toEqual(["m1 drained", "m2 drained", "m3 drained"]);
    expect(readersOf(mesh, target)).toEqual([]);
  });

  it("says which peer could not be reached, and goes on there when it answers", async () => {
    const mesh = await aJoinedMesh(3);
    const target = member(mesh, 2);
    mesh.fleet.server(member(mesh, 3)).faults.unreachable = true;
    const { summary } = await drain(mesh, target);
    expect(readersOf(mesh, target)).toEqual(["m3"]);
    expect(reasonsOf(summary.findings)).toEqual(["Drained", "DrainIncomplete"]);
    mesh.fleet.server(member(mesh, 3)).faults.unreachable = false;
    await runsUntilQuiet(mesh);
    expect(readersOf(mesh, target)).toEqual([]);
    expect(notesOn(mesh, target)).toEqual(["m1 drained", "m2 drained", "m3 drained"]);
  });

  it("holds for members that join later", async () => {
    const mesh = await aJoinedMesh(3);
    const target = member(mesh, 2);
    await drain(mesh, target);
    const fourth = aCluster({ name: "m4" });
    mesh.add(fourth);
    await mesh.join(fourth);
    expect(readersOf(mesh, target)).toEqual([]);
    expect(readersOf(mesh, fourth)).toEqual(["m1", "m2", "m3"]);
    expect(notesOn(mesh, target)).toEqual(["m1 drained", "m2 drained", "m3 drained", "m4 drained"]);
  });

  it.each([
    ["of the peers", () => undefined],
    [
      "of the peers alone, because the new member does not take one",
      (mesh: FakeMesh, fresh: Cluster) => {
        const { faults } = mesh.fleet.server(fresh);
        faults.forbidden = [`create Secret ${drainNoteName(ID(member(mesh, 2)))}`];
      },
    ],
  ])("holds for a join that looked before, by the notes %s", async (_, prepare) => {
    const mesh = await aJoinedMesh(3);
    const target = member(mesh, 2);
    const fresh = aCluster({ name: "m4" });
    mesh.add(fresh);
    prepare(mesh, fresh);
    beforeFirstWrite(mesh, async () => await drain(mesh, target), remoteSecretName(ID(target)));
    const { summary } = await mesh.join(fresh);
    expect(readersOf(mesh, target)).toEqual([]);
    expect(readersOf(mesh, fresh)).toEqual(["m1", "m2", "m3"]);
    expect(reasonsOf(summary.findings)).toContain("Drained");
    expect(readersOf(mesh, member(mesh, 1))).toEqual(["m2", "m3", "m4"]);
  });

  it("is planned as it is done, and the plan writes nothing", async () => {
    const mesh = await aJoinedMesh(2);
    const target = member(mesh, 2);
    const before = versionsOf(mesh);
    const order = { scope: "mesh", reason: "test", drain: orderOf(target, "drained") } as const;
    const { actions } = await preview(mesh.run(), order);
    expect(actions.map(({ verb, clusterId: id, object }) => `${verb} ${id} ${object.name}`)).toEqual([
      `delete ${ID(member(mesh, 1))} ${remoteSecretName(ID(target))}`,
      `create ${ID(member(mesh, 1))} ${drainNoteName(ID(target))}`,
      `create ${ID(target)} ${drainNoteName(ID(target))}`,
    ]);
    expect(versionsOf(mesh)).toEqual(before);
  });

  it("goes on after a death at any write, and ends as if nothing had happened", async () => {
    const whole = await aJoinedMesh(3);
    const faults = processFaults();
    await drain(whole, member(whole, 2), { faults });
    expect(faults.writes).toBe(5);
    for (let k = 1; k <= faults.writes; k += 1) {
      for (const fault of ["dieBefore", "dieAfter", "loseAnswer"] as const) {
        const mesh = await aJoinedMesh(3);
        const dying = processFaults();
        dying.onWrite(k, fault);
        const ended = await drain(mesh, member(mesh, 2), { faults: dying }).catch((error: unknown) => error);
        expect(ended instanceof ProcessDeath).toBe(fault !== "loseAnswer");
        const isNoted = notesOn(mesh, member(mesh, 2)).length > 0;
        await runsUntilQuiet(mesh);
        expect({ k, fault, readers: readersOf(mesh, member(mesh, 2)) }).toEqual({
          k,
          fault,
          readers: isNoted ? [] : ["m1", "m3"],
        });
        expect(notesOn(mesh, member(mesh, 2))).toHaveLength(isNoted ? 3 : 0);
      }
    }
  });

  it("may be ordered by two at once, and then again", async () => {
    const mesh = await aJoinedMesh(3);
    inLockstep(mesh);
    await Promise.all([drain(mesh, member(mesh, 2)), drain(mesh, member(mesh, 2))]);
    await runsUntilQuiet(mesh);
    expect(readersOf(mesh, member(mesh, 2))).toEqual([]);
    const before = versionsOf(mesh);
    await drain(mesh, member(mesh, 2));
    expect(versionsOf(mesh)).toEqual(before);
  });

  it("leaves a Secret of the note's name alone that is not Meshjoin's", async () => {
    const mesh = await aJoinedMesh(3);
    const target = member(mesh, 2);
    const { store } = mesh.fleet.server(member(mesh, 1));
    store.create(secret(drainNoteName(ID(target)), {}));
    const { summary } = await drain(mesh, target);
    expect(reasonsOf(summary.findings)).toContain("DrainNoteForeign");
    expect(readersOf(mesh, target)).toEqual([]);
    expect(notesOn(mesh, target)).toEqual(["m1 undefined", "m2 drained", "m3 drained"]);
    await expectNothingLeft(mesh);
  });

  it("does not rest on a root that signs", async () => {
    const mesh = await aJoinedMesh(2);
    mesh.roots.setAliases({});
    await drain(mesh, member(mesh, 2), { confirm: ["MassDrain"] });
    expect(readersOf(mesh, member(mesh, 2))).toEqual([]);
  });
});

describe("the end of a drain", () => {
  it("brings the member back to all peers, and takes the notes away", async () => {
    const mesh = await aJoinedMesh(3);
    const before = stateOf(mesh);
    await drain(mesh, member(mesh, 2));
    await undrain(mesh, member(mesh, 2));
    expect(readersOf(mesh, member(mesh, 2))).toEqual(["m1", "m3"]);
    await runsUntilQuiet(mesh);
    await expectJoined(mesh);
    expect(stateOf(mesh)).toEqual(before);
  });

  it("waits with the other readers while the first do not list it as synced", async () => {
    waitShortly();
    const mesh = await aJoinedMesh(4);
    const target = member(mesh, 2);
    await drain(mesh, target);
    for (const { istiod } of mesh.servers) istiod.syncsNoMore = true;
    const { summary } = await undrain(mesh, target);
    expect(readersOf(mesh, target)).toEqual(["m1"]);
    expect(reasonsOf(summary.findings)).toContain("ComingBack");
    const status = await collectStatus(mesh.run());
    expect(verdictOf(status)).toMatchObject({ health: "degraded", text: "3 pairs not there yet, 1 warning" });
    expect(reasonsOf(status.findings)).toContain("ComingBack");
    const last = status.pairs.find(
      ({ reader, target: id }) => reader === ID(member(mesh, 4)) && id === ID(target),
    );
    expect(last).toMatchObject({ status: "missing", isDue: false });
    await mesh.reconcile("mesh");
    expect(readersOf(mesh, target)).toEqual(["m1", "m3"]);
    expect(notesOn(mesh, target)).toHaveLength(4);
  });

  it.each([
    ["broken", "create Secret"],
    ["forbidden", "create Secret"],
    ["broken", "get"],
    ["forbidden", "get"],
  ] as const)("is held up by no reader that does not take the member back (%s %s)", async (fault, verb) => {
    const mesh = await aJoinedMesh(5);
    const target = member(mesh, 2);
    await drain(mesh, target);
    const { faults } = mesh.fleet.server(member(mesh, 1));
    faults[fault] = [verb];
    await undrain(mesh, target);
    expect(readersOf(mesh, target)).toEqual(["m3", "m4", "m5"]);
    const { store } = mesh.fleet.server(member(mesh, 1));
    let changes = 0;
    store.onChange(() => (changes += 1));
    await mesh.reconcile("mesh");
    expect(changes).toBe(0);
    faults[fault] = [];
    await runsUntilQuiet(mesh);
    await expectJoined(mesh);
  });

  it("goes on after a death at any write", async () => {
    const whole = await aJoinedMesh(3);
    await drain(whole, member(whole, 2));
    const faults = processFaults();
    await undrain(whole, member(whole, 2), { faults });
    for (let k = 1; k <= faults.writes; k += 1) {
      const mesh = await aJoinedMesh(3);
      await drain(mesh, member(mesh, 2));
      const dying = processFaults();
      dying.onWrite(k, "dieAfter");
      await expect(undrain(mesh, member(mesh, 2), { faults: dying })).rejects.toThrow(ProcessDeath);
      await runsUntilQuiet(mesh);
      await expectJoined(mesh);
    }
  });

  it("outlives a member that had the drain on record and could not be reached", async () => {
    const mesh = await aJoinedMesh(3);
    const target = member(mesh, 2);
    await drain(mesh, target);
    mesh.fleet.server(member(mesh, 3)).faults.unreachable = true;
    mesh.clock.advance(3600);
    await undrain(mesh, target);
    await mesh.reconcile("mesh");
    await mesh.reconcile("mesh");
    expect(readersOf(mesh, target)).toEqual(["m1"]);
    mesh.fleet.server(member(mesh, 3)).faults.unreachable = false;
    await runsUntilQuiet(mesh);
    await expectJoined(mesh);
  });

  it("outlives a member that is lost for a while, or that a configuration leaves out", async () => {
    const away = aCluster({ name: "m3", project: "other" });
    const mesh = await aMesh({
      clusters: [aCluster({ name: "m1" }), aCluster({ name: "m2" }), away],
      spec: { projects: ["shop", "other"] },
    });
    await mesh.reconcile("mesh");
    const target = member(mesh, 2);
    await drain(mesh, target);
    mesh.fleet.server(away).faults.unreachable = true;
    await undrain(mesh, target);
    mesh.directory.put({ ...away, labels: {} });
    await mesh.reconcile("mesh");
    await mesh.reconcile("mesh");
    mesh.directory.put(away);
    await mesh.reconcile("mesh", { spec: { projects: ["shop"] } });
    await mesh.reconcile("mesh", { spec: { projects: ["shop"] } });
    mesh.fleet.server(away).faults.unreachable = false;
    await runsUntilQuiet(mesh);
    expect([readersOf(mesh, target), notesOn(mesh, target)]).toEqual([["m1", "m3"], []]);
  });

  it("is on record though nobody who answers knows of the drain", async () => {
    const mesh = await aJoinedMesh(3);
    const [knows, target, late] = [member(mesh, 1), member(mesh, 2), member(mesh, 3)];
    const mute = (cluster: Cluster, isMute: boolean) => {
      mesh.fleet.server(cluster).faults.unreachable = isMute;
    };
    for (const each of [target, late]) mute(each, true);
    await drain(mesh, target);
    expect(notesOn(mesh, target)).toEqual(["m1 drained"]);
    mute(knows, true);
    for (const each of [target, late]) mute(each, false);
    mesh.clock.advance(600);
    await undrain(mesh, target);
    mute(knows, false);
    await runsUntilQuiet(mesh);
    await expectJoined(mesh);
  });

  it("counts as newer than a drain by a clock that is ahead", async () => {
    const mesh = await aJoinedMesh(3);
    mesh.clock.advance(86_400);
    await drain(mesh, member(mesh, 2));
    mesh.clock.advance(-86_400);
    await undrain(mesh, member(mesh, 2));
    await runsUntilQuiet(mesh);
    await expectJoined(mesh);
  });

  it("makes no pair against a drain that begins while the readers take the member back", async () => {
    const mesh = await aJoinedMesh(5);
    const target = member(mesh, 2);
    await drain(mesh, target);
    let begun: Promise<unknown> | undefined;
    const report: ProcessOptions["report"] = ({ step, target: of }) => {
      if (step === "connect" && of === ID(target)) begun ??= drain(mesh, target);
    };
    await undrain(mesh, target, { report });
    expect(begun).toBeDefined();
    await begun;
    expect(readersOf(mesh, target)).toEqual([]);
    await expectNothingLeft(mesh);
  });

  it("makes no pair against a drain that has looked before, and writes its note after", async () => {
    const mesh = await aJoinedMesh(4);
    const target = member(mesh, 2);
    await drain(mesh, target);
    const faults = processFaults();
    faults.onWrite(5, "dieBefore");
    await expect(undrain(mesh, target, { faults })).rejects.toThrow(ProcessDeath);
    expect([readersOf(mesh, target), notesOn(mesh, target)]).toEqual([
      [],
      ["m1 serving", "m2 serving", "m3 serving", "m4 serving"],
    ]);
    beforeFirstWrite(mesh, async () => await mesh.reconcile("mesh"));
    await drain(mesh, target);
    expect(readersOf(mesh, target)).toEqual([]);
    await expectNothingLeft(mesh);
  });

  it("stays as the newer order has it, though an older one writes last", async () => {
    const mesh = await aJoinedMesh(3);
    const target = member(mesh, 2);
    await drain(mesh, target);
    beforeFirstWrite(mesh, async () => {
      mesh.clock.advance(1);
      await undrain(mesh, target);
      expect(readersOf(mesh, target)).toEqual(["m1", "m3"]);
    });
    await mesh.reconcile("mesh", { drain: orderOf(target, "drained", "another reason") });
    expect(readersOf(mesh, target)).toEqual(["m1", "m3"]);
    await runsUntilQuiet(mesh);
    await expectJoined(mesh);
  });

  it("keeps no pair of which it cannot tell whether a new drain has begun", async () => {
    waitShortly();
    const mesh = await aJoinedMesh(2);
    const [reader, target] = [member(mesh, 1), member(mesh, 2)];
    await drain(mesh, target);
    const server = mesh.fleet.server(reader);
    const report: ProcessOptions["report"] = ({ step, target: of }) => {
      if (step === "connect" && of === ID(target))
        server.faults.broken = [`get Secret ${drainNoteName(ID(target))}`];
    };
    const { summary, retry } = await undrain(mesh, target, { report });
    expect(readersOf(mesh, target)).toEqual([]);
    expect(summary.pairs).toContainEqual({ reader: ID(reader), target: ID(target), outcome: "waiting" });
    expect(retry).toBe(true);
    server.faults.broken = [];
    await runsUntilQuiet(mesh);
    await expectJoined(mesh);
  });
});

describe("a drain by label", () => {
  it("follows the label, in an event as in a full run", async () => {
    for (const isEvent of [false, true]) {
      const mesh = await aJoinedMesh(3);
      const target = member(mesh, 2);
      const run = async () => (isEvent ? mesh.join(target) : mesh.reconcile("mesh"));
      label(mesh, target, "drained");
      await run();
      expect(readersOf(mesh, target)).toEqual([]);
      expect(notesOn(mesh, target)).toHaveLength(3);
      await expectNothingLeft(mesh);
      label(mesh, target, undefined);
      await run();
      expect(readersOf(mesh, target)).toEqual(["m1", "m3"]);
      await runsUntilQuiet(mesh);
      await expectJoined(mesh);
    }
  });

  it("does not end the drain of a person, and undrain does not end with the label alone", async () => {
    const mesh = await aJoinedMesh(3);
    const target = member(mesh, 2);
    await drain(mesh, target);
    label(mesh, target, "drained");
    await mesh.reconcile("mesh");
    label(mesh, target, undefined);
    await mesh.reconcile("mesh");
    expect(readersOf(mesh, target)).toEqual([]);
  });

  it("is taken over by a person, and then stays without the label", async () => {
    const mesh = await aJoinedMesh(3);
    const target = member(mesh, 2);
    label(mesh, target, "drained");
    await mesh.reconcile("mesh");
    await drain(mesh, target);
    label(mesh, target, undefined);
    await mesh.reconcile("mesh");
    expect(readersOf(mesh, target)).toEqual([]);
  });

  it("shows in a status as the notes have it, until a run has followed the label", async () => {
    const mesh = await aJoinedMesh(3);
    const drainOf = async () => (await collectStatus(mesh.run())).members[1]?.drain;
    const target = label(mesh, member(mesh, 2), "drained");
    expect(await drainOf()).toEqual({ state: "none" });
    await mesh.reconcile("mesh");
    label(mesh, target, undefined);
    expect(await drainOf()).toMatchObject({ state: "present", by: "label" });
    await mesh.reconcile("mesh");
    expect(await drainOf()).toEqual({ state: "none" });
    await mesh.reconcile("mesh", { drain: { ...orderOf(target, "drained"), by: "meshjoin" } });
    label(mesh, target, "drained");
    expect(await drainOf()).toMatchObject({ state: "present", by: "meshjoin" });
  });

  it("believes a fresh note rather than a list that is behind", async () => {
    const mesh = await aJoinedMesh(3);
    const target = label(mesh, member(mesh, 2), "drained");
    await mesh.reconcile("mesh");
    await undrain(mesh, target);
    await mesh.reconcile("mesh");
    expect(readersOf(mesh, target)).toEqual(["m1", "m3"]);
    mesh.clock.advance(600);
    await mesh.reconcile("mesh");
    expect(readersOf(mesh, target)).toEqual([]);
  });

  it("drains nothing for another value, and says so", async () => {
    const mesh = await aJoinedMesh(2);
    label(mesh, member(mesh, 2), "drain");
    const { summary } = await mesh.reconcile("mesh");
    expect(readersOf(mesh, member(mesh, 2))).toEqual(["m1"]);
    expect(reasonsOf(summary.members.flatMap(({ findings }) => findings))).toContain("StateLabelInvalid");
  });

  it("says nothing where its source does not answer", async () => {
    const far = aCluster({ name: "m3", location: "europe-west4" });
    const mesh = await aMesh({ clusters: [aCluster({ name: "m1" }), aCluster({ name: "m2" }), far] });
    await mesh.reconcile("mesh");
    const target = label(mesh, far, "drained");
    await mesh.reconcile("mesh");
    mesh.clock.advance(600);
    mesh.directory.missing([target.ref.location]);
    await mesh.reconcile("mesh");
    expect(notesOn(mesh, target)).toEqual(["m1 drained", "m2 drained", "m3 drained"]);
  });
});

describe("too many drains at once", () => {
  it("wait for a confirmation, and those that stand need none", async () => {
    const mesh = await aJoinedMesh(4);
    await drain(mesh, member(mesh, 1));
    for (const number of [2, 3]) label(mesh, member(mesh, number), "drained");
    const { summary } = await mesh.reconcile("mesh");
    expect(reasonsOf(summary.findings)).toContain("MassDrain");
    expect(readersOf(mesh, member(mesh, 1))).toEqual([]);
    expect(readersOf(mesh, member(mesh, 2))).toEqual(["m1", "m3", "m4"]);
    await mesh.reconcile("mesh", { confirm: ["MassDrain"] });
    expect(readersOf(mesh, member(mesh, 2))).toEqual([]);
    const after = await mesh.reconcile("mesh");
    expect(reasonsOf(after.summary.findings)).not.toContain("MassDrain");
  });

  it("by command drain nothing either", async () => {
    const mesh = await aJoinedMesh(2);
    mesh.fleet.server(member(mesh, 1)).faults.unreachable = true;
    const { summary } = await drain(mesh, member(mesh, 2));
    expect(reasonsOf(summary.findings)).toEqual(["MassDrain"]);
    expect(notesOn(mesh, member(mesh, 2))).toEqual([]);
  });
});

describe("two that drain different members at the same time", () => {
  const MET = "DrainsTogether";

  it("are told where both together are too many, and neither drain is undone", async () => {
    const mesh = await aJoinedMesh(3);
    const [mine, theirs] = [member(mesh, 2), member(mesh, 3)];
    let first: Awaited<ReturnType<typeof drain>> | undefined;
    beforeFirstWrite(mesh, async () => {
      first = await mesh.reconcile("mesh", {
        drain: { ...orderOf(theirs, "drained"), by: "bob@example.com" },
      });
    });
    const { summary } = await drain(mesh, mine);
    expect(reasonsOf(first?.summary.findings ?? [])).toEqual(["Drained"]);
    const [told, ...others] = summary.findings.filter(({ reason }) => reason === MET);
    expect(others).toEqual([]);
    expect(told).toMatchObject({
      severity: "error",
      message: expect.stringMatching(
        /^\S+-m2 and \S+-m3 \(by bob@example.com\) were drained at the same time: 2 of 3 members are drained/,
      ),
      cure: expect.stringMatching(/meshjoin undrain \S+-m2; or meshjoin undrain \S+-m3/),
    });
    for (const each of [mine, theirs]) expect(readersOf(mesh, each)).toEqual([]);
    await expectNothingLeft(mesh);
    expect(reasonsOf((await mesh.reconcile("mesh")).summary.findings)).toEqual(["Drained"]);
  });

  it("are told at least once, whoever is first", async () => {
    for (const members of [3, 4]) {
      const mesh = await aJoinedMesh(members);
      inLockstep(mesh);
      const done = await Promise.all([drain(mesh, member(mesh, 2)), drain(mesh, member(mesh, 3))]);
      const told = done.filter(({ summary }) => reasonsOf(summary.findings).includes(MET));
      expect(told.length > 0).toBe(members === 3);
    }
  });

  it("are told where no member of a network is left", async () => {
    const clusters = ["m1", "m2", "m3", "m4", "m5"].map((name) =>
      aCluster({ name, network: { project: "shop", name: name > "m3" ? "far" : "default" } }),
    );
    const mesh = await aMesh({ clusters });
    await mesh.reconcile("mesh");
    beforeFirstWrite(mesh, async () => await drain(mesh, member(mesh, 5)));
    const { summary } = await drain(mesh, member(mesh, 4));
    const told = summary.findings.filter(({ reason }) => reason === MET).map(({ message }) => message);
    expect(told).toEqual([expect.stringMatching(/no member of network .*far.* serves any more/)]);
  });

  it("are told where one follows a label", async () => {
    const mesh = await aJoinedMesh(3);
    label(mesh, member(mesh, 2), "drained");
    beforeFirstWrite(mesh, async () => await drain(mesh, member(mesh, 3)));
    const { summary } = await mesh.reconcile("mesh");
    expect(reasonsOf(summary.findings)).toContain(MET);
  });

  it("are not held up by the drained member, which falls silent meanwhile", async () => {
    waitShortly();
    const mesh = await aJoinedMesh(3);
    const { faults } = mesh.fleet.server(member(mesh, 2));
    beforeFirstWrite(mesh, async () => await drain(mesh, member(mesh, 3)));
    const report: ProcessOptions["report"] = ({ step, clusterId: id }) => {
      if (step === "noteDrain" && id === ID(member(mesh, 2))) faults.slowMs = 3000;
    };
    const began = performance.now();
    const { summary } = await drain(mesh, member(mesh, 2), { report });
    expect(performance.now() - began).toBeLessThan(2000);
    expect(reasonsOf(summary.findings)).toContain(MET);
  });

  it("need not be told what they have confirmed", async () => {
    const mesh = await aJoinedMesh(3);
    beforeFirstWrite(mesh, async () => await drain(mesh, member(mesh, 3)));
    const { summary } = await drain(mesh, member(mesh, 2), { confirm: ["MassDrain"] });
    expect(reasonsOf(summary.findings)).toEqual(["Drained"]);
  });
});

describe("an order about one member", () => {
  it("needs no confirmation for the labels of others, and drains none of them", async () => {
    for (const confirm of [[], ["MassDrain"]]) {
      const mesh = await aJoinedMesh(4);
      for (const number of [2, 3, 4]) label(mesh, member(mesh, number), "drained");
      const { summary } = await drain(mesh, member(mesh, 1), { confirm });
      expect(reasonsOf(summary.findings)).toEqual(["Drained"]);
      expect(readersOf(mesh, member(mesh, 1))).toEqual([]);
      expect(notesOn(mesh, member(mesh, 2))).toEqual([]);
      expect(readersOf(mesh, member(mesh, 2))).toEqual(["m1", "m3", "m4"]);
    }
  });
});

describe("a drained member", () => {
  it("leaves without a trace, and begins to serve when it joins again", async () => {
    const mesh = await aJoinedMesh(3);
    const target = member(mesh, 2);
    await drain(mesh, target);
    mesh.directory.put({ ...target, labels: {} });
    await mesh.reconcile("mesh", { leaving: [ID(target)] });
    expect(notesOn(mesh, target)).toEqual([]);
    await expectNothingLeft(mesh);
    mesh.directory.put(target);
    await mesh.join(target);
    await expectJoined(mesh);
  });

  it("keeps its grace when it is lost, though a member that does not answer alone has credentials of it", async () => {
    const mesh = await aMesh({ members: 2, spec: { leaveGrace: 3600 } });
    await mesh.reconcile("mesh");
    const [first, target, third] = [member(mesh, 1), member(mesh, 2), aCluster({ name: "m3" })];
    mesh.fleet.server(target).faults.unreachable = true;
    await drain(mesh, target);
    mesh.add(third);
    await mesh.join(third);
    mesh.fleet.server(target).faults.unreachable = false;
    mesh.directory.put({ ...target, labels: {} });
    mesh.fleet.server(first).faults.unreachable = true;
    const names = () =>
      [target, third].map((each) => secretsOf(mesh, each).map(({ metadata }) => metadata.name));
    const before = names();
    expect(before[1]).toContain(drainNoteName(ID(target)));
    const { summary } = await mesh.reconcile("mesh", { notedAs: "full" });
    expect(names()).toEqual(before);
    expect(reasonsOf(summary.findings)).toContain("MemberLost");
    mesh.directory.put(target);
    mesh.fleet.server(first).faults.unreachable = false;
    await runsUntilQuiet(mesh);
    expect(readersOf(mesh, target)).toEqual([]);
    expect(readersOf(mesh, first)).toEqual(["m2", "m3"]);
  });

  it("is another one under the same name, and serves", async () => {
    const mesh = await aJoinedMesh(3);
    const target = member(mesh, 2);
    await drain(mesh, target);
    const again = aCluster({ name: "m2", id: "another" });
    mesh.directory.put(again);
    mesh.fleet.add(again);
    await runsUntilQuiet(mesh);
    await expectJoined(mesh, [member(mesh, 1), again, member(mesh, 3)]);
  });

  it("stays as it is where its note is edited so that nobody can tell", async () => {
    const mesh = await aJoinedMesh(2);
    const target = member(mesh, 2);
    await drain(mesh, target);
    for (const cluster of mesh.clusters) {
      const { store } = mesh.fleet.server(cluster);
      const ref = {
        apiVersion: "v1",
        kind: "Secret",
        namespace: "istio-system",
        name: drainNoteName(ID(target)),
      };
      const found = store.get(ref);
      if (found === undefined) throw new Error("no note");
      const annotations = { ...found.metadata.annotations, [annotation("drain-state")]: "perhaps" };
      store.write({ ...found, metadata: { ...found.metadata, annotations } }, "kubectl-edit");
    }
    const { summary } = await mesh.reconcile("mesh");
    expect(reasonsOf(summary.findings)).toContain("DrainUnknown");
    expect(readersOf(mesh, target)).toEqual([]);
    await undrain(mesh, target);
    await runsUntilQuiet(mesh);
    await expectJoined(mesh);
  });

  it("renews what it needs to read its peers, and rotates like any other", async () => {
    const mesh = await aJoinedMesh(2);
    const target = member(mesh, 2);
    await drain(mesh, target);
    mesh.clock.advance(mesh.spec.tokenTtl * 0.7);
    const { summary } = await mesh.reconcile("mesh");
    expect(summary.pairs).toContainEqual({
      reader: ID(target),
      target: ID(member(mesh, 1)),
      outcome: "updated",
    });
    expect(readersOf(mesh, target)).toEqual([]);
  });
});

import { afterEach, describe, expect, it, jest } from "@jest/globals";
import { verdictOf } from "../../../shared/core/answers/verdict.ts";
import type { Cluster } from "../../../shared/core/cluster/cluster.ts";
import {
  annotation,
  clusterId,
  drainNoteName,
  ISTIO_NAMESPACE,
  remoteSecretName,
} from "../../../shared/core/names.ts";
import type { RawAnswer } from "../../../shared/core/probe/answer.ts";
import type { DrainOrder } from "../../../shared/core/request.ts";
import { UnavailableError } from "../../../shared/errors.ts";
import { collectStatus } from "../../../shared/status.ts";
import { aCluster } from "../../support/builders/cluster.ts";
import { ProcessDeath, processFaults } from "../../support/fakes/member-api/faults.ts";
import { aMesh, type FakeMesh, type ProcessOptions } from "../../support/fakes/mesh.ts";
import { secretsOf, versionsOf, waitShortly } from "./world.ts";

const AFTER = 1200;
const SPEC = { probe: "on", drainAfter: AFTER } as const;
/** A configuration in which the setting is empty. */
const OFF: ProcessOptions = { emptied: ["drainAfter"] };
/** As Cloud Scheduler starts them. */
const EVERY = 600;
const ID = ({ ref }: Cluster) => clusterId(ref);

/** What Envoy answers where nobody takes its packets. */
const TIMEOUT: RawAnswer = {
  status: 503,
  headers: {
    "x-ask-flags": "UF",
    "x-ask-details": "upstream_reset_before_response_started{connection_timeout}",
  },
  body: "",
};
const REFUSED_BY_POLICY: RawAnswer = {
  status: 403,
  headers: { "x-ask-flags": "-", "x-ask-details": "via_upstream" },
  body: "RBAC: access denied",
};

const fullRun = (mesh: FakeMesh, how: ProcessOptions = {}) =>
  mesh.reconcile("mesh", { notedAs: "full", ...how });

/** Full runs at their times, until so many seconds are over. */
async function runsFor(mesh: FakeMesh, seconds: number, how: ProcessOptions = {}) {
  let last = await fullRun(mesh, how);
  for (let passed = 0; passed < seconds; passed += EVERY) {
    mesh.clock.advance(EVERY);
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    last = await fullRun(mesh, how);
  }
  return last;
}

async function aKeptMesh(clusters: readonly Cluster[] | number, spec = {}): Promise<FakeMesh> {
  const seed = typeof clusters === "number" ? { members: clusters } : { clusters };
  const mesh = await aMesh({ ...seed, spec: { ...SPEC, ...spec } });
  await fullRun(mesh);
  await fullRun(mesh);
  return mesh;
}

function member(mesh: FakeMesh, number: number): Cluster {
  const found = mesh.clusters[number - 1];
  if (found === undefined) throw new Error(`no member ${number}`);
  return found;
}

function remoteSecretRef(target: Cluster) {
  const name = remoteSecretName(ID(target));
  return { apiVersion: "v1", kind: "Secret", namespace: ISTIO_NAMESPACE, name };
}

function mute(mesh: FakeMesh, cluster: Cluster, isMute = true): void {
  mesh.fleet.server(cluster).faults.unreachable = isMute;
}

/** No request of these readers gets through any more. */
function cut(mesh: FakeMesh, target: Cluster, readers = mesh.clusters, answer = TIMEOUT): void {
  for (const reader of readers)
    if (reader !== target) mesh.fleet.server(reader).probe.answers.set(ID(target), answer);
}

function mend(mesh: FakeMesh, target: Cluster): void {
  mute(mesh, target, false);
  for (const reader of mesh.clusters) mesh.fleet.server(reader).probe.answers.delete(ID(target));
}

/** API server and all workloads. */
function kill(mesh: FakeMesh, target: Cluster): void {
  mute(mesh, target);
  cut(mesh, target);
}

/** Names of the members that hold a remote secret of the target. */
function readersOf(mesh: FakeMesh, target: Cluster): string[] {
  const name = remoteSecretName(ID(target));
  return mesh.clusters
    .filter((each) => secretsOf(mesh, each).some(({ metadata }) => metadata.name === name))
    .map(({ ref }) => ref.name);
}

/** `m1 drained meshjoin`: what each member has on record about the target. */
function notesOn(mesh: FakeMesh, target: Cluster): string[] {
  return mesh.clusters.flatMap((each) =>
    secretsOf(mesh, each)
      .filter(({ metadata }) => metadata.name === drainNoteName(ID(target)))
      .map(({ metadata: { annotations = {} } }) =>
        [each.ref.name, annotations[annotation("drain-state")], annotations[annotation("drain-by")]].join(
          " ",
        ),
      ),
  );
}

function silencesOf(mesh: FakeMesh, target: Cluster): (string | undefined)[] {
  const name = remoteSecretName(ID(target));
  return mesh.clusters.flatMap((each) =>
    secretsOf(mesh, each)
      .filter(({ metadata }) => metadata.name === name)
      .map(({ metadata }) => metadata.annotations?.[annotation("silent-since")]),
  );
}

type Done = Awaited<ReturnType<typeof fullRun>>;

const heldBack = ({ summary }: Done) =>
  summary.findings.filter(({ reason }) => reason === "DrainHeldBack").map(({ message }) => message);

const order = (cluster: Cluster, state: DrainOrder["state"]): ProcessOptions => ({
  drain: { clusterId: ID(cluster), state, by: "ann@example.com", reason: "" },
});

afterEach(() => {
  jest.restoreAllMocks();
});

describe("a member that is dead", () => {
  it("is drained after the time, and not before", async () => {
    const mesh = await aKeptMesh(4);
    const dead = member(mesh, 2);
    kill(mesh, dead);
    const before = await runsFor(mesh, AFTER - EVERY);
    expect(readersOf(mesh, dead)).toEqual(["m1", "m3", "m4"]);
    expect(heldBack(before)).toEqual([]);
    mesh.clock.advance(EVERY);
    const { summary } = await fullRun(mesh);
    expect(readersOf(mesh, dead)).toEqual([]);
    expect(notesOn(mesh, dead)).toEqual(["m1", "m3", "m4"].map((name) => `${name} drained meshjoin`));
    const told = summary.findings.find(({ reason }) => reason === "DrainedAutomatically");
    expect(told).toMatchObject({ severity: "warning", clusterId: ID(dead) });
    expect(told?.message).toMatch(/its API server has been silent since .+, and no request of most peers/);
    const status = await collectStatus(mesh.run());
    expect(verdictOf(status)).toMatchObject({ health: "degraded" });
  });

  it("is not, by a person's run or one about a cluster, nor where the configuration has no time", async () => {
    const mesh = await aKeptMesh(3);
    const dead = member(mesh, 2);
    kill(mesh, dead);
    await runsFor(mesh, AFTER - EVERY);
    mesh.clock.advance(2 * EVERY);
    await mesh.reconcile("mesh");
    await mesh.join(member(mesh, 1));
    expect(readersOf(mesh, dead)).toEqual(["m1", "m3"]);
    await fullRun(mesh, OFF);
    expect(readersOf(mesh, dead)).toEqual(["m1", "m3"]);
    expect(silencesOf(mesh, dead)).toEqual([undefined, undefined]);
    await fullRun(mesh);
    expect(readersOf(mesh, dead)).toEqual(["m1", "m3"]);
  });

  it("without istiod is drained when requests to it fail, and not while they pass", async () => {
    const mesh = await aKeptMesh(3);
    const away = member(mesh, 2);
    const server = mesh.fleet.server(away);
    waitShortly(50);
    server.istiod.isDown = true;
    server.wakeIstiod();
    const passing = await runsFor(mesh, 2 * AFTER);
    expect(readersOf(mesh, away)).toEqual(["m1", "m3"]);
    expect(heldBack(passing)).toEqual([expect.stringMatching(/the probes of 0 of 2 peers show it dead/)]);
    cut(mesh, away);
    await fullRun(mesh);
    expect(readersOf(mesh, away)).toEqual([]);
  });
});

describe("a silence", () => {
  it("begins anew with each answer: a member that comes and goes is not drained", async () => {
    const mesh = await aKeptMesh(3);
    const flapping = member(mesh, 2);
    cut(mesh, flapping);
    for (let round = 0; round < 4; round += 1) {
      mute(mesh, flapping);
      await runsFor(mesh, AFTER - EVERY);
      mute(mesh, flapping, false);
      mesh.clock.advance(EVERY);
      await fullRun(mesh);
      expect(silencesOf(mesh, flapping)).toEqual([undefined, undefined]);
      mesh.clock.advance(EVERY);
    }
    expect(readersOf(mesh, flapping)).toEqual(["m1", "m3"]);
  });

  it("is written once, and a run that changes nothing writes nothing", async () => {
    const mesh = await aKeptMesh(3);
    const quiet = member(mesh, 2);
    mute(mesh, quiet);
    await runsFor(mesh, EVERY);
    const before = versionsOf(mesh);
    mesh.clock.advance(60);
    await fullRun(mesh);
    expect(versionsOf(mesh)).toEqual(before);
    expect(new Set(silencesOf(mesh, quiet)).size).toBe(1);
  });

  it("that a note puts ahead of the clock counts as none", async () => {
    const mesh = await aKeptMesh(3);
    const dead = member(mesh, 2);
    kill(mesh, dead);
    await fullRun(mesh);
    const { store } = mesh.fleet.server(member(mesh, 1));
    const held = store.get(remoteSecretRef(dead))!;
    const ahead = { ...held.metadata.annotations, [annotation("silent-since")]: "2999-01-01T00:00:00.000Z" };
    store.write({ ...held, metadata: { ...held.metadata, annotations: ahead } }, "meshjoin");
    await runsFor(mesh, AFTER - EVERY);
    expect(silencesOf(mesh, dead)).not.toContain("2999-01-01T00:00:00.000Z");
    expect(readersOf(mesh, dead)).toEqual(["m1", "m3"]);
    await runsFor(mesh, EVERY);
    expect(readersOf(mesh, dead)).toEqual([]);
  });

  it.each(["silent-since", "lost-since"])(
    "leaves no %s behind that somebody else has written",
    async (key) => {
      const mesh = await aKeptMesh(3);
      const quiet = member(mesh, 2);
      for (const reader of [member(mesh, 1), member(mesh, 3)]) {
        const { store } = mesh.fleet.server(reader);
        const held = store.get(remoteSecretRef(quiet))!;
        const edited = { ...held.metadata.annotations, [annotation(key)]: "2020-01-01T00:00:00.000Z" };
        store.write({ ...held, metadata: { ...held.metadata, annotations: edited } }, "kubectl-annotate");
      }
      await fullRun(mesh);
      const left = mesh.clusters
        .flatMap((each) => secretsOf(mesh, each))
        .flatMap(({ metadata: { annotations = {} } }) => annotations[annotation(key)] ?? []);
      expect(left).toEqual([]);
      const before = versionsOf(mesh);
      const { summary } = await fullRun(mesh);
      expect([summary.outcome, versionsOf(mesh)]).toEqual(["unchanged", before]);
    },
  );

  it("outlives the renewal of a remote secret, in a full run and in one of a person", async () => {
    const mesh = await aKeptMesh(3);
    const away = member(mesh, 2);
    const server = mesh.fleet.server(away);
    waitShortly();
    mesh.clock.advance(mesh.spec.tokenTtl * 0.3);
    server.istiod.isDown = true;
    server.wakeIstiod();
    await fullRun(mesh);
    const noted = silencesOf(mesh, away);
    const tokens = () =>
      mesh.clusters.map((each) => secretsOf(mesh, each).map(({ data }) => JSON.stringify(data)));
    const before = tokens();
    mesh.clock.advance(mesh.spec.tokenTtl * 0.4);
    await mesh.reconcile("mesh");
    await fullRun(mesh);
    expect(tokens()).not.toEqual(before);
    expect(silencesOf(mesh, away)).toEqual(noted);
    expect(noted).not.toContain(undefined);
  });

  it("that one reader alone does not know of for long does not count", async () => {
    const mesh = await aKeptMesh(4);
    const [dead, late] = [member(mesh, 2), member(mesh, 4)];
    kill(mesh, dead);
    mute(mesh, late);
    await runsFor(mesh, AFTER);
    mesh.fleet.server(late).faults.unreachable = false;
    // It was drained by those that knew; here the late one was part of the mesh that answered.
    expect(readersOf(mesh, dead)).toEqual(["m4"]);
    await fullRun(mesh);
    expect(readersOf(mesh, dead)).toEqual([]);
  });

  it.each(["forbidden", "broken"] as const)("is none where the API server answers: %s", async (fault) => {
    const mesh = await aKeptMesh(3);
    const target = member(mesh, 2);
    cut(mesh, target);
    mesh.fleet.server(target).faults[fault] = ["list"];
    const done = await runsFor(mesh, 2 * AFTER);
    expect(readersOf(mesh, target)).toEqual(["m1", "m3"]);
    expect(heldBack(done)).toEqual([]);
  });
});

describe("peers that do not take the note of a silence", () => {
  it.each(["forbidden", "broken"] as const)("hold no drain back while most others do (%s)", async (fault) => {
    const mesh = await aKeptMesh(4);
    const [refusing, dead] = [member(mesh, 1), member(mesh, 2)];
    mesh.fleet.server(refusing).faults[fault] = ["apply Secret", "create Secret", "delete Secret"];
    kill(mesh, dead);
    await runsFor(mesh, AFTER - EVERY);
    expect(readersOf(mesh, dead)).toEqual(["m1", "m3", "m4"]);
    mesh.clock.advance(EVERY);
    const { summary } = await fullRun(mesh);
    expect(readersOf(mesh, dead)).toEqual(["m1"]);
    expect(notesOn(mesh, dead)).toEqual(["m3 drained meshjoin", "m4 drained meshjoin"]);
    expect(summary.findings.map(({ clusterId: id, message }) => `${id} ${message}`)).toContainEqual(
      expect.stringMatching(/^\S+-m1 .*create Secret.*: (forbidden|the server answered 500)$/),
    );
    mesh.fleet.server(refusing).faults[fault] = [];
    await fullRun(mesh);
    expect(readersOf(mesh, dead)).toEqual([]);
  });

  it("are named where too few others do, with the reason and the cure", async () => {
    const mesh = await aKeptMesh(3);
    const [refusing, dead, other] = [member(mesh, 1), member(mesh, 2), member(mesh, 3)];
    const refuse = (cluster: Cluster, what: readonly "apply Secret"[]) => {
      mesh.fleet.server(cluster).faults.forbidden = what;
    };
    refuse(refusing, ["apply Secret"]);
    kill(mesh, dead);
    expect(heldBack(await runsFor(mesh, AFTER - EVERY))).toEqual([]);
    const { summary } = await runsFor(mesh, 2 * EVERY);
    expect(readersOf(mesh, dead)).toEqual(["m1", "m3"]);
    const told = summary.findings.filter(({ reason }) => reason === "DrainHeldBack");
    expect(told).toEqual([
      expect.objectContaining({
        clusterId: ID(dead),
        message: expect.stringMatching(
          /silent since .+, and .+ does not drain it: \S+-m1 does not take the note .+forbidden/,
        ),
        cure: expect.stringMatching(/^let \S+-m1 .+: .+; if \S+-m2 is dead: meshjoin drain \S+-m2$/),
      }),
    ]);
    // Nobody knows since when.
    refuse(other, ["apply Secret"]);
    mend(mesh, dead);
    await fullRun(mesh);
    refuse(other, []);
    await fullRun(mesh);
    refuse(other, ["apply Secret"]);
    kill(mesh, dead);
    expect(heldBack(await fullRun(mesh))).toEqual([
      expect.stringMatching(/is silent, nobody notes since when, .+: \S+-m1 and \S+-m3 do not take the note/),
    ]);
    refuse(refusing, []);
    refuse(other, []);
    await runsFor(mesh, AFTER);
    expect(readersOf(mesh, dead)).toEqual([]);
  });
});

describe("Meshjoin drains nobody by itself", () => {
  it("where most members are silent: an observer without a way out sees them all so", async () => {
    const mesh = await aKeptMesh(5);
    for (const number of [2, 3, 4]) kill(mesh, member(mesh, number));
    const done = await runsFor(mesh, 2 * AFTER);
    expect(heldBack(done)).toHaveLength(3);
    expect(heldBack(done)[0]).toMatch(/only 2 of 4 other members answered, so it may be Meshjoin/);
    for (const number of [2, 3, 4]) expect(notesOn(mesh, member(mesh, number))).toEqual([]);
  });

  it("whose peers still reach it, or of whose probes nobody knows", async () => {
    const mesh = await aKeptMesh(5);
    const quiet = member(mesh, 2);
    mute(mesh, quiet);
    cut(mesh, quiet, [member(mesh, 1), member(mesh, 3)]);
    const half = await runsFor(mesh, 2 * AFTER);
    expect(heldBack(half)).toEqual([expect.stringMatching(/the probes of 2 of 4 peers show it dead/)]);
    const asleep = mesh.fleet.server(member(mesh, 4));
    cut(mesh, quiet, [member(mesh, 4)]);
    asleep.probe.isReady = false;
    asleep.settleProbe();
    await fullRun(mesh);
    expect(readersOf(mesh, quiet)).toEqual(["m1", "m3", "m4", "m5"]);
    asleep.probe.isReady = true;
    asleep.settleProbe();
    await fullRun(mesh);
    expect(readersOf(mesh, quiet)).toEqual([]);
  });

  it("for failures that are no death: a policy refuses the probes", async () => {
    const mesh = await aKeptMesh(3);
    const quiet = member(mesh, 2);
    mute(mesh, quiet);
    cut(mesh, quiet, mesh.clusters, REFUSED_BY_POLICY);
    await runsFor(mesh, 2 * AFTER);
    expect(readersOf(mesh, quiet)).toEqual(["m1", "m3"]);
  });

  it("while GKE operates on it, does not say so, or gives it another status", async () => {
    const mesh = await aKeptMesh(3);
    const dead = member(mesh, 2);
    kill(mesh, dead);
    mesh.directory.operate(dead.ref, "UPGRADE_MASTER");
    const operated = await runsFor(mesh, 2 * AFTER);
    expect(heldBack(operated)).toEqual([
      expect.stringMatching(/GKE operates on the cluster \(UPGRADE_MASTER\)/),
    ]);
    mesh.directory.operate(dead.ref, undefined);
    const running = mesh.directory.running.bind(mesh.directory);
    mesh.directory.running = () =>
      Promise.reject(new UnavailableError("quota", { code: "ResourceExhausted" }));
    expect(heldBack(await fullRun(mesh))).toEqual([expect.stringMatching(/GKE does not tell .+: quota/)]);
    mesh.directory.running = running;
    mesh.directory.put({ ...dead, status: "RECONCILING" });
    expect(heldBack(await fullRun(mesh))).toEqual([expect.stringMatching(/the status RECONCILING/)]);
    expect(readersOf(mesh, dead)).toEqual(["m1", "m3"]);
    mesh.directory.put(dead);
    await fullRun(mesh);
    expect(readersOf(mesh, dead)).toEqual([]);
  });

  it("whose project does not answer", async () => {
    const clusters = ["m1", "m2", "m3"].map((name) =>
      aCluster({ name, project: name === "m2" ? "other" : "shop" }),
    );
    const mesh = await aKeptMesh(clusters, { projects: ["shop", "other"] });
    const dead = member(mesh, 2);
    kill(mesh, dead);
    mesh.directory.refuse("other");
    await runsFor(mesh, 2 * AFTER);
    expect(readersOf(mesh, dead)).toEqual(["m1", "m3"]);
    expect(notesOn(mesh, dead)).toEqual([]);
  });

  it("while GKE does not list all members: those that it leaves out may still reach it", async () => {
    const clusters = ["m1", "m2", "m3", "m4", "m5"].map((name) =>
      aCluster({ name, location: name > "m2" ? "europe-west4" : "europe-west1" }),
    );
    const mesh = await aKeptMesh(clusters);
    const dead = member(mesh, 2);
    mute(mesh, dead);
    cut(mesh, dead, [member(mesh, 1)]);
    expect(heldBack(await runsFor(mesh, AFTER))).toEqual([
      expect.stringMatching(/the probes of 1 of 4 peers/),
    ]);
    mesh.directory.missing(["europe-west4"]);
    mesh.clock.advance(EVERY);
    const done = await fullRun(mesh);
    expect(readersOf(mesh, dead)).toEqual(["m1", "m3", "m4", "m5"]);
    expect(heldBack(done)).toEqual([expect.stringMatching(/not all clusters .+ are known/)]);
    mesh.directory.missing([]);
    cut(mesh, dead);
    await fullRun(mesh);
    expect(readersOf(mesh, dead)).toEqual([]);
  });

  it("beside another one, nor the last of its network or of a share", async () => {
    const mesh = await aKeptMesh(5);
    const [first, second] = [member(mesh, 2), member(mesh, 3)];
    kill(mesh, first);
    kill(mesh, second);
    await runsFor(mesh, AFTER);
    expect([readersOf(mesh, first), readersOf(mesh, second)]).toEqual([["m3"], ["m1", "m2", "m4", "m5"]]);
    const done = await runsFor(mesh, AFTER);
    expect(heldBack(done)).toEqual([
      expect.stringMatching(/Meshjoin has drained \S+-m2, and keeps no second/),
    ]);
    const few = await aKeptMesh(3, { drainShare: 0.1 });
    kill(few, member(few, 2));
    expect(heldBack(await runsFor(few, AFTER, { confirm: ["MassDrain"] }))).toEqual([
      expect.stringMatching(/more than MESHJOIN_DRAIN_SHARE allows/),
    ]);
    expect(readersOf(few, member(few, 2))).toEqual(["m1", "m3"]);
  });

  it("asks GKE only about a member that nothing else keeps from it", async () => {
    const mesh = await aKeptMesh(3);
    let asked = 0;
    const running = mesh.directory.running.bind(mesh.directory);
    mesh.directory.running = async (...args) => {
      asked += 1;
      return await running(...args);
    };
    mute(mesh, member(mesh, 2));
    await runsFor(mesh, 2 * AFTER);
    expect(asked).toBe(0);
    cut(mesh, member(mesh, 2));
    await fullRun(mesh);
    expect(asked).toBe(1);
  });
});

async function drained(members = 4): Promise<{ mesh: FakeMesh; dead: Cluster }> {
  const mesh = await aKeptMesh(members);
  const dead = member(mesh, 2);
  kill(mesh, dead);
  await runsFor(mesh, AFTER);
  expect(readersOf(mesh, dead)).toEqual([]);
  return { mesh, dead };
}

describe("a member that Meshjoin has drained", () => {
  it("comes back when it has answered for twice the time without a break", async () => {
    const { mesh, dead } = await drained();
    mend(mesh, dead);
    await runsFor(mesh, AFTER);
    mute(mesh, dead);
    mesh.clock.advance(EVERY);
    await fullRun(mesh);
    mute(mesh, dead, false);
    mesh.clock.advance(EVERY);
    await runsFor(mesh, 2 * AFTER - EVERY);
    expect(readersOf(mesh, dead)).toEqual([]);
    await runsFor(mesh, EVERY);
    await fullRun(mesh);
    expect(readersOf(mesh, dead)).toEqual(["m1", "m3", "m4"]);
    await fullRun(mesh);
    expect(notesOn(mesh, dead)).toEqual([]);
    const before = versionsOf(mesh);
    await fullRun(mesh);
    expect(versionsOf(mesh)).toEqual(before);
  });

  it("comes back though a peer does not take the note that it answers", async () => {
    const { mesh, dead } = await drained(3);
    mesh.fleet.server(member(mesh, 1)).faults.forbidden = ["apply Secret"];
    mend(mesh, dead);
    await runsFor(mesh, 2 * AFTER - EVERY);
    expect(readersOf(mesh, dead)).toEqual([]);
    await runsFor(mesh, EVERY);
    await fullRun(mesh);
    expect(readersOf(mesh, dead)).toEqual(["m1", "m3"]);
  });

  it("does not come back by itself where the time is off, and then needs the whole time again", async () => {
    const { mesh, dead } = await drained();
    mend(mesh, dead);
    await runsFor(mesh, AFTER);
    const done = await runsFor(mesh, 4 * AFTER, OFF);
    expect(readersOf(mesh, dead)).toEqual([]);
    const told = done.summary.findings.find(({ reason }) => reason === "DrainedAutomatically");
    expect(told?.cure).toMatch(/nothing brings it back by itself; at once: meshjoin undrain/);
    await runsFor(mesh, 2 * AFTER - EVERY);
    expect(readersOf(mesh, dead)).toEqual([]);
    await runsFor(mesh, EVERY);
    await fullRun(mesh);
    expect(readersOf(mesh, dead)).toEqual(["m1", "m3", "m4"]);
  });

  it("comes back at once by a person, and is drained again only after another silence", async () => {
    const { mesh, dead } = await drained();
    await mesh.reconcile("mesh", order(dead, "serving"));
    expect(notesOn(mesh, dead)).toEqual(["m1", "m3", "m4"].map((name) => `${name} serving ann@example.com`));
    mute(mesh, dead, false);
    await fullRun(mesh);
    await fullRun(mesh);
    expect(readersOf(mesh, dead)).toEqual(["m1", "m3", "m4"]);
    mute(mesh, dead);
    await runsFor(mesh, AFTER - EVERY);
    expect(readersOf(mesh, dead)).toEqual(["m1", "m3", "m4"]);
    await runsFor(mesh, EVERY);
    expect(readersOf(mesh, dead)).toEqual([]);
  });

  it("is not drained again at once where the drain died before it took a remote secret", async () => {
    const mesh = await aKeptMesh(3);
    const dead = member(mesh, 2);
    kill(mesh, dead);
    await runsFor(mesh, AFTER - EVERY);
    mesh.clock.advance(EVERY);
    const faults = processFaults();
    faults.onWrite(2, "dieAfter");
    await expect(fullRun(mesh, { faults })).rejects.toThrow(ProcessDeath);
    expect(notesOn(mesh, dead)).not.toEqual([]);
    const kept = readersOf(mesh, dead);
    expect(kept).not.toEqual([]);
    // In the place of an order's own run, which would take the remote secrets first.
    mesh.clock.advance(1);
    await mesh.reconcile("mesh", order(dead, "serving"));
    expect(readersOf(mesh, dead)).toEqual(kept);
    await runsFor(mesh, AFTER - EVERY);
    expect(readersOf(mesh, dead)).toEqual(kept);
    await runsFor(mesh, EVERY);
    expect(readersOf(mesh, dead)).toEqual([]);
  });

  it("is not drained again at once where the run that forgets its drain dies", async () => {
    waitShortly(50);
    for (const k of [1, 2, 3, 4, 5, 6, 7, 8]) {
      const mesh = await aKeptMesh(3);
      const away = member(mesh, 2);
      const server = mesh.fleet.server(away);
      server.istiod.isDown = true;
      server.wakeIstiod();
      cut(mesh, away);
      await runsFor(mesh, AFTER - EVERY);
      mesh.clock.advance(EVERY);
      const faults = processFaults();
      faults.onWrite(1, "dieAfter");
      await expect(fullRun(mesh, { faults })).rejects.toThrow(ProcessDeath);
      mesh.clock.advance(1);
      await mesh.reconcile("mesh", order(away, "serving"));
      await interrupted(mesh, k, "dieBefore");
      await fullRun(mesh);
      await fullRun(mesh);
      expect(notesOn(mesh, away).filter((note) => note.endsWith("drained meshjoin"))).toEqual([]);
    }
  }, 60_000);

  it("is a person's from the person's own drain on", async () => {
    const { mesh, dead } = await drained();
    await mesh.reconcile("mesh", order(dead, "drained"));
    expect(notesOn(mesh, dead)).toEqual(["m1", "m3", "m4"].map((name) => `${name} drained ann@example.com`));
    mend(mesh, dead);
    await runsFor(mesh, 4 * AFTER);
    expect(readersOf(mesh, dead)).toEqual([]);
  });

  it.each([
    ["dieBefore", [1, 2, 3, 4, 5, 6]],
    ["dieAfter", [1, 2, 3, 4, 5, 6]],
    ["loseAnswer", [1, 2]],
  ] as const)(
    "is drained, and comes back, whatever write of a run ends it (%s)",
    async (fault, writes) => {
      waitShortly();
      for (const k of writes) {
        const mesh = await aKeptMesh(3);
        const dead = member(mesh, 2);
        kill(mesh, dead);
        await interrupted(mesh, k, fault);
        await runsFor(mesh, AFTER - EVERY);
        expect(readersOf(mesh, dead)).toEqual(["m1", "m3"]);
        mesh.clock.advance(EVERY);
        await interrupted(mesh, k, fault);
        await runsFor(mesh, EVERY);
        expect(readersOf(mesh, dead)).toEqual([]);
        mend(mesh, dead);
        await interrupted(mesh, k, fault);
        await runsFor(mesh, 2 * AFTER - EVERY);
        mesh.clock.advance(EVERY);
        await interrupted(mesh, k, fault);
        await runsFor(mesh, EVERY);
        await fullRun(mesh);
        expect(readersOf(mesh, dead)).toEqual(["m1", "m3"]);
        expect(notesOn(mesh, dead)).toEqual([]);
      }
    },
    120_000,
  );
});

/** What the model knows of one member. */
interface Modelled {
  readonly cluster: Cluster;
  isMuted: boolean;
  isCut: boolean;
  isOperated: boolean;
  /** The first full run of its present silence, or of the one since a person has undrained it. */
  silentSince?: number | undefined;
  /** Since when all others answered, too. */
  aloneSince?: number | undefined;
}

const byMeshjoin = (mesh: FakeMesh, { cluster }: Modelled) =>
  notesOn(mesh, cluster).some((note) => note.endsWith("drained meshjoin"));

/** Numbers from 0 to below 1, the same for the same seed. */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    return state / 2_147_483_648;
  };
}

function change(mesh: FakeMesh, each: Modelled, dice: number): void {
  if (dice < 0.5) {
    each.isMuted = !each.isMuted;
    mute(mesh, each.cluster, each.isMuted);
  } else if (dice < 0.8) {
    each.isCut = !each.isCut;
    if (each.isCut) cut(mesh, each.cluster);
    else for (const { probe } of mesh.servers) probe.answers.delete(ID(each.cluster));
  } else {
    each.isOperated = !each.isOperated;
    mesh.directory.operate(each.cluster.ref, each.isOperated ? "UPGRADE_MASTER" : undefined);
  }
}

function advance(all: readonly Modelled[], now: number): void {
  for (const each of all) {
    const isAlone = all.every((other) => other === each || !other.isMuted);
    each.silentSince = each.isMuted ? (each.silentSince ?? now) : undefined;
    each.aloneSince = each.isMuted && isAlone ? (each.aloneSince ?? now) : undefined;
  }
}

describe("a model of runs", () => {
  it.each([1, 2, 3, 4, 5, 6, 7, 8])(
    "agrees that none is drained by Meshjoin that is not dead by all signs (%s)",
    async (seed) => {
      const mesh = await aKeptMesh(4);
      const random = randomFrom(seed);
      const all = mesh.clusters.map(
        (cluster): Modelled => ({ cluster, isMuted: false, isCut: false, isOperated: false }),
      );
      let drains = 0;
      for (let step = 0; step < 40; step += 1) {
        const one = all[Math.floor(random() * all.length)]!;
        if (random() < 0.35) change(mesh, one, random());
        if (random() < 0.1 && byMeshjoin(mesh, one)) {
          await mesh.reconcile("mesh", order(one.cluster, "serving"));
          one.silentSince = undefined;
          one.aloneSince = undefined;
        }
        mesh.clock.advance(EVERY);
        const now = mesh.clock.now().getTime();
        advance(all, now);
        const before = all.map((each) => byMeshjoin(mesh, each));
        const hadReaders = all.map(({ cluster }) => readersOf(mesh, cluster).length > 0);
        const answering = all.filter(({ isMuted }) => !isMuted).length;
        await fullRun(mesh);
        for (const [index, each] of all.entries()) {
          if (before[index] === true || !byMeshjoin(mesh, each)) continue;
          drains += 1;
          expect(each).toMatchObject({ isMuted: true, isCut: true, isOperated: false });
          expect(now - (each.silentSince ?? now)).toBeGreaterThanOrEqual(AFTER * 1000);
          expect(before).not.toContain(true);
          expect(answering).toBeGreaterThan(1);
        }
        const isDue = (each: Modelled, index: number) =>
          each.isCut &&
          !each.isOperated &&
          hadReaders[index] === true &&
          now - (each.aloneSince ?? now) >= AFTER * 1000;
        const due = all.filter(isDue);
        const isOne = due.length === 1 && !before.includes(true);
        expect(isOne ? all.filter((each) => byMeshjoin(mesh, each)) : due).toEqual(due);
      }
      drainsSeen += drains;
    },
    60_000,
  );

  it("has seen drains", () => {
    expect(drainsSeen).toBeGreaterThan(3);
  });
});

let drainsSeen = 0;

async function interrupted(mesh: FakeMesh, k: number, fault: "dieBefore" | "dieAfter" | "loseAnswer") {
  const faults = processFaults();
  faults.onWrite(k, fault);
  await fullRun(mesh, { faults }).catch((error: unknown) => {
    if (!(error instanceof ProcessDeath)) throw error;
  });
}

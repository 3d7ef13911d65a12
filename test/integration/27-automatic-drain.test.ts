import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import type { FleetMember } from "../../sandbox/google/member.ts";
import { startTraffic, type Traffic } from "../../sandbox/traffic/traffic.ts";
import type { Finding } from "../../shared/core/answers/finding.ts";
import { annotation, drainNoteName, FIELD_MANAGER, remoteSecretName } from "../../shared/core/names.ts";
import { MESH_LABEL, membersOf, SCENARIO_MS, useFleet } from "./world/fleet.ts";
import { clearFaults, setFault, setLabels } from "./world/google.ts";
import { kubectl, secrets } from "./world/kubectl.ts";
import { eventually } from "./world/mesh.ts";
import { status, sync } from "./world/sync-mesh.ts";

const MINUTE_MS = 60_000;
const world = useFleet({
  members: 3,
  traffic: true,
  env: { MESHJOIN_PROBE: "on", MESHJOIN_DRAIN_AFTER: "20m" },
});
let traffic: Traffic;

beforeAll(async () => {
  traffic = await startTraffic(world.fleet);
  // The first writes the probes, and the second finds nothing to do.
  await sync(world.fleet);
}, SCENARIO_MS);

afterAll(async () => {
  await traffic.stop();
});

/** The second serves the requests of the first. */
function fleetMembers() {
  const [first, dying, third] = membersOf(world.fleet);
  if (first === undefined || dying === undefined || third === undefined) throw new Error("three members");
  return { dying, peers: [first, third] };
}

/** Its API server is silent for everybody, so its peers keep its pods; and that of its probe is dead. */
async function kill(): Promise<void> {
  await mute();
  await probePods(0);
}

/** As an administrator of the member, whom the silence does not concern. */
async function probePods(number: 0 | 1): Promise<void> {
  const probe = ["-n", "meshjoin-probe"];
  const { dying } = fleetMembers();
  await kubectl(dying, ...probe, "scale", "deployment/probe", `--replicas=${number}`);
  await eventually(
    async () => await kubectl(dying, ...probe, "get", "pods", "-o", "name"),
    (pods) => pods.split("\n").filter(Boolean).length === number,
  );
}

async function revive(): Promise<void> {
  await clearFaults(world.fleet);
  await probePods(1);
}

async function mute(): Promise<void> {
  await setFault(world.fleet, { target: fleetMembers().dying.clusterId, kind: "refuse" });
}

/** The times in the annotation, on that Secret of each peer that has one of the name. */
async function timesOf(name: string, key: string): Promise<(string | undefined)[]> {
  const found = await Promise.all(
    fleetMembers().peers.map(async (peer) => (await secrets(peer)).get(name)?.metadata),
  );
  return found.flatMap((metadata) =>
    metadata === undefined ? [] : [metadata.annotations?.[annotation(key)]],
  );
}

const silences = () => timesOf(remoteSecretName(fleetMembers().dying.clusterId), "silent-since");
const answersSince = () => timesOf(drainNoteName(fleetMembers().dying.clusterId), "answers-since");

/** Puts the time back on all peers, in Meshjoin's own name: the clock of the functions is this machine's. */
async function backDate(name: string, key: string, minutes: number): Promise<void> {
  const dir = await mkdtemp(join(tmpdir(), "meshjoin-note-"));
  const file = join(dir, "note.json");
  const past = new Date(Date.now() - minutes * MINUTE_MS).toISOString();
  const metadata = { name, namespace: "istio-system", annotations: { [annotation(key)]: past } };
  await writeFile(file, JSON.stringify({ apiVersion: "v1", kind: "Secret", metadata }));
  const apply = ["apply", "--server-side", "--force-conflicts", `--field-manager=${FIELD_MANAGER}`];
  for (const peer of fleetMembers().peers) await kubectl(peer, ...apply, "-f", file);
  await rm(dir, { recursive: true });
}

const longSilent = () => backDate(remoteSecretName(fleetMembers().dying.clusterId), "silent-since", 21);

/** Names of the peers that hold a remote secret of the member. */
async function readers(): Promise<string[]> {
  const { dying, peers } = fleetMembers();
  const holds = async (peer: FleetMember) =>
    (await secrets(peer)).has(remoteSecretName(dying.clusterId)) ? [peer.name] : [];
  return (await Promise.all(peers.map(holds))).flat();
}

const ABOUT = new Set(["DrainHeldBack", "DrainedAutomatically"]);

/** A full run, and what it says about drains. */
async function fullRun(): Promise<readonly Finding[]> {
  const { findings } = (await sync(world.fleet)).body;
  return findings.filter(({ reason }) => ABOUT.has(reason));
}

/** Whether the probes of both peers get through to the member. */
async function passes(): Promise<boolean> {
  const { dying } = fleetMembers();
  const { pairs } = await status(world.fleet);
  const own = pairs.filter(({ target }) => target === dying.clusterId);
  return own.length === 2 && own.every(({ probe }) => probe.state === "passed");
}

const BOTH = ["mesh-1", "mesh-3"];

describe("a member that is dead", () => {
  it(
    "27.1 keeps its pairs, and its peers note since when it is silent, once",
    async () => {
      await kill();
      expect(await fullRun()).toEqual([]);
      const noted = await silences();
      for (const time of noted) expect(Date.now() - Date.parse(time ?? "")).toBeLessThan(MINUTE_MS);
      expect(noted).toHaveLength(2);
      await fullRun();
      expect(await silences()).toEqual(noted);
      expect(await readers()).toEqual(BOTH);
    },
    SCENARIO_MS,
  );

  it(
    "27.2 is not drained after the time while requests get through to it, nor while GKE operates on it",
    async () => {
      const { fleet } = world;
      const { dying } = fleetMembers();
      await revive();
      await eventually(passes, Boolean);
      await mute();
      await longSilent();
      expect(await fullRun()).toEqual([
        expect.objectContaining({
          reason: "DrainHeldBack",
          message: expect.stringMatching(/the probes of 0 of 2 peers show it dead/),
        }),
      ]);
      await setFault(fleet, { target: "gke", kind: "holdOperations" });
      await setLabels(fleet, dying, { ...MESH_LABEL, team: "a" });
      await kill();
      expect(await fullRun()).toEqual([
        expect.objectContaining({
          reason: "DrainHeldBack",
          message: expect.stringMatching(/GKE operates on the cluster \(UPDATE_CLUSTER\)/),
        }),
      ]);
      expect(await readers()).toEqual(BOTH);
      await clearFaults(fleet);
    },
    SCENARIO_MS,
  );

  it(
    "27.3 is drained after the time: its peers' proxies forget its pods, and the status tells by whom",
    async () => {
      await kill();
      await longSilent();
      expect(await fullRun()).toEqual([expect.objectContaining({ reason: "DrainedAutomatically" })]);
      expect(await readers()).toEqual([]);
      const { body } = await eventually(
        () => traffic.request(),
        (answer) => answer.body === "no healthy upstream",
      );
      expect(body).toBe("no healthy upstream");
      const { members } = await status(world.fleet);
      expect(Object.fromEntries(members.map(({ name, drain }) => [name, drain]))).toEqual({
        "mesh-1": { state: "none" },
        "mesh-2": {
          state: "present",
          by: "meshjoin",
          since: expect.any(String),
          reason: expect.stringMatching(/^its API server has been silent since /),
        },
        "mesh-3": { state: "none" },
      });
    },
    SCENARIO_MS,
  );

  it(
    "27.4 stays drained when it answers, and comes back after twice the time; then nothing is left to do",
    async () => {
      const { fleet } = world;
      const note = drainNoteName(fleetMembers().dying.clusterId);
      await revive();
      await fullRun();
      expect(await answersSince()).toEqual([expect.any(String), expect.any(String)]);
      // No answer counts that is older than the drain.
      const since = `${annotation("drain-since")}=${new Date(Date.now() - 50 * MINUTE_MS).toISOString()}`;
      for (const member of membersOf(fleet))
        await kubectl(member, "-n", "istio-system", "annotate", "--overwrite", "secret", note, since);
      await backDate(note, "answers-since", 39);
      await fullRun();
      expect(await readers()).toEqual([]);
      await backDate(note, "answers-since", 41);
      await fullRun();
      const back = await eventually(
        async () => {
          await sync(fleet);
          return await readers();
        },
        (all) => all.length === BOTH.length,
      );
      expect(back).toEqual(BOTH);
      expect(await eventually(passes, Boolean)).toBe(true);
      const last = await eventually(
        () => sync(fleet),
        ({ body: { outcome } }) => outcome === "unchanged",
      );
      expect(last.body.outcome).toBe("unchanged");
      expect(await silences()).toEqual([undefined, undefined]);
    },
    SCENARIO_MS,
  );
});

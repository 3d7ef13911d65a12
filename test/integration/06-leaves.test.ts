import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "@jest/globals";
import { unsyncedPairs } from "../../sandbox/fleet/istiod-sync.ts";
import type { FleetMember } from "../../sandbox/google/member.ts";
import { sitDown } from "./world/desk.ts";
import { functionLog, type LogLine } from "./world/events.ts";
import { MESH_LABEL, membersOf, SCENARIO_MS, useFleet } from "./world/fleet.ts";
import { beginDeletion, clearFaults, holdEvents, setFault, setLabels } from "./world/google.ts";
import { kubectl, secrets, snapshot } from "./world/kubectl.ts";
import { eventually, expectForgotten, expectPaired, joined } from "./world/mesh.ts";
import { plan, status, sync } from "./world/sync-mesh.ts";

/** No full run comes by itself here, so a scenario decides if one comes within it. */
const GRACE_S = 5;
const world = useFleet({ members: 3, env: { MESHJOIN_LEAVE_GRACE: `${GRACE_S}s` } });

async function untilLogged(holds: (line: LogLine) => boolean): Promise<void> {
  const seen = async () => (await functionLog(world.fleet)).some(holds);
  expect(await eventually(seen, Boolean)).toBe(true);
}

/** What an istiod has logged about its remote secret for another member. */
async function linesAbout(reader: FleetMember, target: FleetMember): Promise<readonly string[]> {
  const log = await kubectl(reader, "-n", "istio-system", "logs", "deploy/istiod");
  return log.split("\n").filter((line) => line.includes(`istio-remote-secret-${target.clusterId}`));
}

const isSkip = (line: string) => line.includes("kubeconfig are identical");

describe("leaving", () => {
  it(
    "06.1 a cluster that is deleted is forgotten while it is still being deleted",
    async () => {
      const { fleet } = world;
      const leaver = await fleet.createCluster("short-lived");
      await joined(fleet);
      await setFault(fleet, { target: "gke", kind: "holdOperations" });
      const over = await beginDeletion(fleet, leaver);
      await untilLogged(({ message, reason }) => message === "cluster leaves" && reason === "Stopping");
      await clearFaults(fleet);
      await over();
      await expectForgotten(fleet, leaver);
    },
    SCENARIO_MS,
  );

  it(
    "06.2 a member that loses its label stays in the mesh for a grace, and its peers' istiods do not notice; then it loses every way in and out, and keeps its CA; with the label it comes back",
    async () => {
      const { fleet } = world;
      const members = membersOf(fleet);
      const [leaver, ...peers] = members;
      if (leaver === undefined) throw new Error("there is no member");
      const everything = async () => await Promise.all(members.map((member) => snapshot(member)));
      const before = await everything();
      await setLabels(fleet, leaver, {});
      await untilLogged(({ finding }) => finding?.reason === "MemberLeft");
      await fleet.waitUntilDelivered();
      expect(await everything()).toEqual(before);

      const seen = await Promise.all(peers.map(async (peer) => (await linesAbout(peer, leaver)).length));
      const lost = expect.objectContaining({ reason: "MemberLost", severity: "error" });
      expect(await sync(fleet)).toMatchObject({ body: { outcome: "updated", findings: [lost] } });
      await setLabels(fleet, leaver, MESH_LABEL);
      await fleet.waitUntilDelivered();
      // The run of that event has taken the notes off.
      expect(await sync(fleet)).toMatchObject({ body: { outcome: "unchanged", findings: [] } });
      await expectPaired(members);
      for (const [index, peer] of peers.entries()) {
        const news = async () => (await linesAbout(peer, leaver)).slice(seen[index]);
        // One for the note, and one for its end.
        const skipped = await eventually(news, (lines) => lines.filter(isSkip).length === 2);
        expect(skipped.filter(isSkip)).toHaveLength(2);
        expect(skipped.filter((line) => /(?:Adding|Updating|Deleting)\b.*cluster/i.test(line))).toEqual([]);
      }
      expect(await sync(fleet)).toMatchObject({ body: { outcome: "unchanged", findings: [] } });

      await setLabels(fleet, leaver, {});
      await sync(fleet);
      await sleep(GRACE_S * 1000);
      expect(await sync(fleet)).toMatchObject({
        body: { outcome: "deleted", findings: [expect.objectContaining({ reason: "TrustedLeaver" })] },
      });
      await expectForgotten(fleet, leaver);
      expect(
        [...(await secrets(leaver)).keys()].filter((name) => /remote-secret|reader|cacerts/.test(name)),
      ).toEqual(["cacerts"]);

      await setLabels(fleet, leaver, MESH_LABEL);
      await joined(fleet);
      await expectPaired(membersOf(fleet));
    },
    SCENARIO_MS,
  );

  it(
    "06.3 a cluster that disappears without an event is forgotten by the full run",
    async () => {
      const { fleet } = world;
      const leaver = await fleet.createCluster("vanishing");
      await joined(fleet);
      await holdEvents(fleet);
      await (await beginDeletion(fleet, leaver))();
      expect((await plan(fleet)).actions.map(({ verb, object }) => [verb, object.kind])).toEqual(
        Array.from({ length: 6 }, () => ["delete", "Secret"]),
      );
      expect(await sync(fleet)).toMatchObject({ status: 200, body: { outcome: "deleted" } });
      await expectForgotten(fleet, leaver);
      await clearFaults(fleet);
    },
    SCENARIO_MS,
  );

  it(
    "06.4 a list that is not whole removes nobody",
    async () => {
      const { fleet } = world;
      const members = membersOf(fleet);
      const before = await Promise.all(members.map((member) => snapshot(member)));
      await setFault(fleet, {
        target: "gke",
        kind: "missingZones",
        zones: members.map(({ location }) => location),
      });
      expect(await sync(fleet)).toMatchObject({
        status: 200,
        body: { findings: [expect.objectContaining({ reason: "ListingIncomplete" })] },
      });
      expect(await Promise.all(members.map((member) => snapshot(member)))).toEqual(before);
      await clearFaults(fleet);
    },
    SCENARIO_MS,
  );

  it(
    "06.5 most of the mesh does not leave on the word of labels that go one after the other, nor all of it, until somebody confirms it",
    async () => {
      const { fleet } = world;
      const members = membersOf(fleet);
      const [stays, ...leavers] = members;
      if (stays === undefined) throw new Error("there is no member");
      await holdEvents(fleet);
      const before = await secrets(stays);
      const reasons = async () => (await sync(fleet)).body.findings.map(({ reason }) => reason).toSorted();
      for (const leaver of leavers) {
        await setLabels(fleet, leaver, { team: "payments" });
        await sync(fleet);
      }
      expect(await reasons()).toEqual(["MassLeave", ...leavers.map(() => "MemberLost")]);
      await setLabels(fleet, stays, { team: "payments" });
      expect(await reasons()).toEqual(["MassLeave", ...members.map(() => "MemberLost")]);
      expect((await status(fleet)).findings).toHaveLength(1 + members.length);
      expect(await unsyncedPairs(members)).toEqual([]);
      await setLabels(fleet, stays, MESH_LABEL);
      expect([...(await secrets(stays)).keys()]).toEqual([...before.keys()]);

      expect(await sync(fleet, { confirm: ["MassLeave"] })).toMatchObject({ body: { outcome: "deleted" } });
      for (const leaver of leavers) await expectForgotten(fleet, leaver);
      await clearFaults(fleet);
      for (const leaver of leavers) await setLabels(fleet, leaver, MESH_LABEL);
      await joined(fleet);
    },
    SCENARIO_MS,
  );

  it(
    "06.6 a member leaves while another cannot be reached, which is cleaned up when it can",
    async () => {
      const { fleet } = world;
      const leaver = await fleet.createCluster("leaving");
      await joined(fleet);
      const [silent] = membersOf(fleet);
      if (silent === undefined) throw new Error("there is no member");
      await setFault(fleet, { target: silent.clusterId, kind: "refuse" });
      await holdEvents(fleet);
      await (await beginDeletion(fleet, leaver))();
      const { status: code, body } = await sync(fleet);
      expect([code, body.findings.map(({ reason }) => reason)]).toEqual([202, ["ApiServerUnreachable"]]);
      await clearFaults(fleet);
      expect((await sync(fleet)).status).toBe(200);
      await expectForgotten(fleet, leaver);
    },
    SCENARIO_MS,
  );

  it(
    "06.7 a mesh that is whole is left as it is, for the requests that docs/cost.md counts and one line in the log",
    async () => {
      const { fleet } = world;
      const members = membersOf(fleet);
      await sync(fleet);
      const { reconciler, signer } = fleet.accounts;
      const before = await Promise.all(members.map((member) => snapshot(member)));
      const logged = (await functionLog(fleet, "sync-mesh")).length;
      const since = Date.now();
      expect(await sync(fleet)).toMatchObject({ status: 200, body: { outcome: "unchanged", findings: [] } });
      const asked = fleet.ledger.requests(reconciler, since);
      const kubernetes = await fleet.clusterRequests(reconciler, since);
      expect(await Promise.all(members.map((member) => snapshot(member)))).toEqual(before);
      expect(asked).toMatchObject({ gke: 1, secretmanager: 2, signer: 0 });
      expect(fleet.ledger.requests(signer, since)).toMatchObject({ gke: 0, secretmanager: 0 });
      expect(kubernetes).toBe(members.length * (6 + 1));
      expect((await functionLog(fleet, "sync-mesh")).slice(logged)).toMatchObject([
        { message: "reconciled" },
      ]);
    },
    SCENARIO_MS,
  );

  it.each([401, 403, 409, 429, 500])(
    "06.8 a member that answers %i holds up no other, and is whole again when it does not",
    async (code) => {
      const { fleet } = world;
      const [odd, ...rest] = membersOf(fleet);
      if (odd === undefined) throw new Error("there is no member");
      await setFault(fleet, { target: odd.clusterId, kind: "status", status: code });
      const { body } = await sync(fleet);
      expect(
        body.members.filter(({ outcome }) => outcome !== "unchanged").map(({ clusterId }) => clusterId),
      ).toEqual([odd.clusterId]);
      expect(body.members.find(({ clusterId }) => clusterId === odd.clusterId)?.findings).toMatchObject([
        { reason: code === 403 ? "ApiServerRefused" : "ApiServerUnreachable" },
      ]);
      await expectPaired(rest);
      await clearFaults(fleet);
      await joined(fleet);
      expect(
        await eventually(
          () => sync(fleet),
          (seen) => seen.status === 200,
        ),
      ).toMatchObject({
        body: { outcome: "unchanged", findings: [] },
      });
    },
    SCENARIO_MS,
  );

  it(
    "06.9 the status shows what every istiod lists and serves",
    async () => {
      const { members, pairs, findings } = await status(world.fleet);
      const ids = membersOf(world.fleet)
        .map(({ clusterId }) => clusterId)
        .toSorted();
      expect(members.map(({ clusterId }) => clusterId)).toEqual(ids);
      expect(pairs.map(({ status: is }) => is)).toEqual(ids.flatMap(() => ids.slice(1).map(() => "synced")));
      for (const { intermediate, root } of members) {
        expect(intermediate.loaded).toMatchObject([{ fingerprint: intermediate.written?.fingerprint }]);
        expect(root).toHaveLength(1);
      }
      expect(findings).toEqual([]);
    },
    SCENARIO_MS,
  );

  it(
    "06.10 the label accident, as gcloud makes it in all clusters at once, costs no pair, and is an error until the labels are back",
    async () => {
      const { fleet } = world;
      const members = membersOf(fleet);
      const desk = await sitDown(fleet, {});
      const relabel = (labels: string) =>
        Promise.all(
          members.map(async ({ name, location, project }) => {
            const place = `--location=${location} --project=${project} --quiet`;
            const { code, err } = await desk.run(
              `gcloud container clusters update ${name} ${place} --update-labels=${labels}`,
            );
            expect([code, code === 0 ? "" : err]).toEqual([0, ""]);
          }),
        );
      await relabel("team=payments");
      await fleet.waitUntilDelivered();
      expect(membersOf(fleet)).toEqual([]);
      for (let passed = 0; passed <= GRACE_S; passed += GRACE_S) {
        const { body } = await sync(fleet);
        expect(body.findings.map(({ reason, severity }) => `${severity} ${reason}`).toSorted()).toEqual([
          "error MassLeave",
          ...members.map(() => "error MemberLost"),
        ]);
        await sleep(GRACE_S * 1000);
      }
      expect(await unsyncedPairs(members)).toEqual([]);
      await relabel("team=payments,mesh_id=sandbox");
      await joined(fleet);
      expect((await sync(fleet)).body.findings).toEqual([]);
    },
    SCENARIO_MS,
  );
});

import { describe, expect, it } from "@jest/globals";
import { functionLog, type LogLine } from "./world/events.ts";
import { MESH_LABEL, membersOf, SCENARIO_MS, useFleet } from "./world/fleet.ts";
import { beginDeletion, clearFaults, holdEvents, setFault, setLabels } from "./world/google.ts";
import { secrets, snapshot } from "./world/kubectl.ts";
import { eventually, expectForgotten, expectPaired, joined } from "./world/mesh.ts";
import { plan, status, sync } from "./world/sync-mesh.ts";

const world = useFleet({ members: 3 });

async function untilLogged(holds: (line: LogLine) => boolean): Promise<void> {
  const seen = async () => (await functionLog(world.fleet)).some(holds);
  expect(await eventually(seen, Boolean)).toBe(true);
}

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
    "06.2 a member that loses its label loses every way in and out with the full run, and keeps its CA; with the label it comes back",
    async () => {
      const { fleet } = world;
      const leaver = membersOf(fleet)[0];
      if (leaver === undefined) throw new Error("there is no member");
      const members = membersOf(fleet);
      const before = await Promise.all(members.map((member) => snapshot(member)));
      await setLabels(fleet, leaver, {});
      await untilLogged(({ finding }) => finding?.reason === "MemberLeft");
      await fleet.waitUntilDelivered();
      expect(await Promise.all(members.map((member) => snapshot(member)))).toEqual(before);

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
    "06.5 most of the mesh does not leave on the word of labels until somebody confirms it",
    async () => {
      const { fleet } = world;
      const [stays, ...leavers] = membersOf(fleet);
      if (stays === undefined) throw new Error("there is no member");
      await holdEvents(fleet);
      const before = await secrets(stays);
      for (const leaver of leavers) await setLabels(fleet, leaver, {});
      expect(await sync(fleet)).toMatchObject({
        body: { findings: leavers.map(() => expect.objectContaining({ reason: "MassLeave" })) },
      });
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
      expect(asked).toMatchObject({ gke: 1, secretmanager: 1, signer: 0 });
      expect(fleet.ledger.requests(signer, since)).toMatchObject({ gke: 0, secretmanager: 0 });
      expect(kubernetes).toBe(members.length * (4 + 1));
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
});

import { beforeEach, describe, expect, it } from "@jest/globals";
import type { FleetMember } from "../../sandbox/google/member.ts";
import { deletionEntry, finishedEntry, push } from "./world/events.ts";
import { membersOf, SCENARIO_MS, useFleet } from "./world/fleet.ts";
import { beginDeletion, clearFaults, holdEvents, setFault } from "./world/google.ts";
import { secrets, snapshot } from "./world/kubectl.ts";
import { expectForgotten, expectPaired, expectUntouched, expectWrittenOnce, joined } from "./world/mesh.ts";
import { status } from "./world/sync-mesh.ts";

const MEMBERS = 2;
const world = useFleet({ members: MEMBERS });

/** Takes away the faults and the clusters that the scenario before may have left. */
beforeEach(async () => {
  const { fleet } = world;
  await clearFaults(fleet);
  for (const left of fleet.file().members.slice(MEMBERS)) {
    await fleet.deleteCluster(left.name);
    await expectForgotten(fleet, left);
  }
});

/** What the member holds of the cluster of this ID, and for which cluster it was made. */
async function madeFor(member: FleetMember, clusterId: string) {
  const found = await secrets(member);
  return [`istio-remote-secret-${clusterId}`, `meshjoin-reader-${clusterId}`].map((name) => ({
    uid: found.get(name)?.metadata.uid,
    gkeId: found.get(name)?.metadata.annotations?.["meshjoin.dev/cluster-id"],
  }));
}

describe("the events of a deletion", () => {
  it.each([
    ["the first alone", ["first", "over"]],
    ["the last alone", ["over", "last"]],
    ["the last before the first", ["over", "last", "first"]],
    ["each of them twice", ["first", "first", "over", "last", "last"]],
  ] as const)(
    "10.1 make the members forget the cluster: %s",
    async (_, order) => {
      const { fleet } = world;
      const leaver = await fleet.createCluster("leaver");
      await joined(fleet);
      await holdEvents(fleet);
      const over = await beginDeletion(fleet, leaver);
      const answers: number[] = [];
      for (const step of order) {
        if (step === "over") await over();
        else answers.push(await push(fleet, deletionEntry(leaver, step)));
      }
      expect(new Set(answers)).toEqual(new Set([204]));
      await expectForgotten(fleet, leaver);
    },
    SCENARIO_MS,
  );
});

describe("a cluster that is created again under its name", () => {
  it(
    "10.2 is a newcomer with credentials of its own, whatever is still told of the one before",
    async () => {
      const { fleet } = world;
      const [first] = membersOf(fleet);
      if (first === undefined) throw new Error("there is no member");
      const before = await fleet.createCluster("phoenix");
      await joined(fleet);
      const old = await madeFor(first, before.clusterId);
      await holdEvents(fleet);
      await (await beginDeletion(fleet, before))();
      const again = await fleet.createCluster("phoenix");
      expect(again.clusterId).toBe(before.clusterId);

      for (const half of ["first", "last"] as const) {
        expect(await push(fleet, deletionEntry(before, half))).toBe(204);
      }
      await expectUntouched(again);
      expect(await madeFor(first, again.clusterId)).toEqual(old);

      expect(await push(fleet, finishedEntry(again))).toBe(204);
      await joined(fleet);
      await expectPaired(membersOf(fleet));
      const made = await madeFor(first, again.clusterId);
      expect(new Set(made.map(({ gkeId }) => gkeId)).size).toBe(1);
      expect(made.map(({ gkeId }) => gkeId)).not.toEqual(old.map(({ gkeId }) => gkeId));
      expect(made[1]?.uid).not.toBe(old[1]?.uid);

      const settled = await snapshot(again);
      expect(await push(fleet, deletionEntry(before, "last"))).toBe(204);
      expect(await snapshot(again)).toEqual(settled);
    },
    SCENARIO_MS,
  );
});

describe("faults of the sandbox", () => {
  it(
    "10.3 doubled and late events make one join, and one leave",
    async () => {
      const { fleet } = world;
      await setFault(fleet, { target: "gke", kind: "duplicateEvents" });
      await setFault(fleet, { target: "gke", kind: "delayEvents", delayMs: 500 });
      const cluster = await fleet.createCluster("doubled");
      await joined(fleet);
      await expectPaired(membersOf(fleet));
      for (const member of membersOf(fleet).filter(({ clusterId }) => clusterId !== cluster.clusterId)) {
        await expectWrittenOnce(fleet, member, `istio-remote-secret-${cluster.clusterId}`);
        await expectWrittenOnce(fleet, cluster, `istio-remote-secret-${member.clusterId}`);
      }
      await fleet.deleteCluster(cluster.name);
      await expectForgotten(fleet, cluster);
    },
    SCENARIO_MS,
  );

  it(
    "10.4 a member that is slow is shown as not reachable, and hides no other",
    async () => {
      const { fleet } = world;
      const [slow, other] = membersOf(fleet);
      if (slow === undefined || other === undefined) throw new Error("there are no two members");
      await setFault(fleet, { target: slow.clusterId, kind: "delay", delayMs: 60_000 });
      const { members, pairs } = await status(fleet);
      expect(members.filter(({ reachable }) => reachable).map(({ clusterId }) => clusterId)).toEqual([
        other.clusterId,
      ]);
      expect(Object.fromEntries(pairs.map(({ reader, status: is }) => [reader, is]))).toEqual({
        [slow.clusterId]: "unknown",
        // Its istiod says synced, whether or not the slow one's API server answers.
        [other.clusterId]: "unknown",
      });
    },
    SCENARIO_MS,
  );
});

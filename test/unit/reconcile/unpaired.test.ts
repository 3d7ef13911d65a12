import { expect, it } from "@jest/globals";
import type { Member, ReachableMember } from "../../../shared/core/member/observation.ts";
import { UNPAIRED_MAX } from "../../../shared/core/member/record.ts";
import { lookAtMesh } from "../../../shared/look/mesh.ts";
import { unpairedOf } from "../../../shared/phases/unpaired.ts";
import { NOTHING } from "../../../shared/report.ts";
import { aCluster } from "../../support/builders/cluster.ts";
import { aMember, anUnreachableMember } from "../../support/builders/member.ts";
import { aMesh } from "../../support/fakes/mesh.ts";

const names = (count: number) => Array.from({ length: count }, (_, index) => `m${1000 + index}`);

async function seenBy(members: readonly ReachableMember[], others: readonly Member[] = members) {
  const run = (await aMesh()).run();
  const mesh = { ...(await lookAtMesh(run, "mesh")), members: others };
  const request = { scope: "mesh", reason: "test" } as const;
  const course = { request, mesh, report: NOTHING, plan: { members: [], departures: NO_DEPARTURES } };
  const of = unpairedOf(run, course);
  return members.map((member) => of?.(member).members.map(({ clusterId }) => clusterId) ?? []);
}

const NO_DEPARTURES = { actions: [], findings: [], left: [] };

it("members that are no pairs are on some record each, however many they are, and none holds too many", async () => {
  const members = names(180).map((name) => aMember(aCluster({ name })));
  const seen = await seenBy(members);
  expect(Math.max(...seen.map(({ length }) => length))).toBe(UNPAIRED_MAX);
  const holders = Map.groupBy(seen.flat(), (id) => id);
  expect(
    members.map(({ clusterId }) => holders.get(clusterId)?.length ?? 0).every((count) => count > 1),
  ).toBe(true);
});

it("a member that does not answer is noted no sooner than it answers, and stays noted", async () => {
  const silent = anUnreachableMember(aCluster({ name: "silent" }));
  const noted = {
    clusterId: silent.clusterId,
    resource: "projects/shop/locations/europe-west1/clusters/silent",
  };
  const record = { troubles: [], left: [], lately: [], runs: {}, unpaired: [noted] };
  const [fresh, before] = ["fresh", "before"].map((name) => aMember(aCluster({ name })));
  const holder = { ...before!, state: { ...before!.state, record } };
  expect(await seenBy([fresh!, holder], [fresh!, holder, silent])).toEqual([
    [holder.clusterId],
    [fresh!.clusterId, silent.clusterId],
  ]);
});

import type { Finding } from "../core/answers/finding.ts";
import type { Member, ReachableMember } from "../core/member/observation.ts";
import { isSilent, silentIn, silentPeersOf, strangersOf } from "../core/member/reach.ts";
import { wouldLose } from "../core/member/restart.ts";
import { clusterId } from "../core/names.ts";
import { endpointsHeld } from "../look/endpoints-held.ts";
import { observeMember } from "../look/member.ts";
import type { Mesh } from "../look/mesh.ts";
import type { Run } from "../run.ts";
import type { Course } from "./course.ts";

/**
 * Why a change that restarts the member's istiod has to wait: it has endpoints of a silent member, and a new
 * istiod would begin without them. Undefined where nothing is lost, or a person has confirmed the loss.
 */
export async function whyRestartWaits(
  run: Run,
  { request: { confirm = [] }, mesh }: Course,
  member: ReachableMember,
): Promise<Finding | undefined> {
  if (confirm.includes("RollOutWaits")) return undefined;
  const members = silentPeersOf(member, silentIn(mesh.members));
  const { silent, unknown } = await strangersHeard(run, mesh, member);
  const held = await endpointsHeld(run, member, [...members, ...silent, ...unknown]);
  const isHeld = (id: string) => held.includes(id);
  return held.length === 0
    ? undefined
    : wouldLose(member, {
        members: members.filter(isHeld),
        silent: silent.filter(isHeld),
        unknown: unknown.filter(isHeld),
      });
}

/**
 * Of the clusters that the member reads by Meshjoin's credentials and that are no members now, those that do
 * not answer, and those that no source tells of: whether these answer nobody can say.
 */
async function strangersHeard(
  run: Run,
  { members, leavers, listing }: Mesh,
  reader: ReachableMember,
): Promise<{ readonly silent: readonly string[]; readonly unknown: readonly string[] }> {
  const ids = strangersOf(reader, members);
  const seen = await Promise.all(
    ids.map(async (id): Promise<Member | undefined> => {
      const leaver = leavers.find((each) => each.clusterId === id);
      const cluster = listing.clusters.find(({ ref }) => clusterId(ref) === id);
      if (leaver !== undefined || cluster === undefined) return leaver;
      return await observeMember(run, cluster, { depth: "peer", signal: run.signal });
    }),
  );
  return {
    silent: ids.filter((_, index) => {
      const stranger = seen[index];
      return stranger !== undefined && isSilent(stranger);
    }),
    unknown: ids.filter((_, index) => seen[index] === undefined),
  };
}

import { isReachable, type Member, type ReachableMember } from "../core/member/observation.ts";
import { UNPAIRED_MAX, type Unpaired, type UnpairedSeen } from "../core/member/record.ts";
import { clusterResource } from "../core/names.ts";
import { leavingIds } from "../plan/departures.ts";
import { isAhead, isLost } from "../plan/lost.ts";
import { planContext } from "../plan-context.ts";
import type { Report } from "../report.ts";
import type { Run } from "../run.ts";
import type { Course } from "./course.ts";

/**
 * For the record of one member: the members that it names in no Secret after this run, such as those of a
 * network that is not connected. When such a one loses its label, no Secret tells of it. Undefined in a run
 * about one cluster, which does not see them all.
 */
export function unpairedOf(run: Run, course: Course): ((of: ReachableMember) => UnpairedSeen) | undefined {
  const { request, mesh, report } = course;
  if (request.scope !== "mesh") return undefined;
  const context = planContext(run, request);
  const input = { ...mesh, ...context, only: context.only };
  const leaving = new Set(leavingIds(input));
  const lost = new Set(
    mesh.departures
      .filter((departure) => isLost(departure, input))
      .map(({ departed: { clusterId } }) => clusterId),
  );
  const after = (noted: Unpaired): Unpaired | undefined => {
    const { clusterId, resource, lostSince } = noted;
    if (leaving.has(clusterId)) return undefined;
    if (!lost.has(clusterId)) return noted;
    const isNoted = lostSince !== undefined && !isAhead(new Date(lostSince), input);
    return isNoted ? noted : { clusterId, resource, lostSince: context.now.toISOString() };
  };
  return (of) => {
    const known = knownTo(of, report);
    const noted = new Set(of.state.record?.unpaired?.map(({ clusterId }) => clusterId));
    const unknown = mesh.members.filter((each) => !known.has(each.clusterId) && hasJoined(each, noted));
    return { members: partFor(of, unknown, mesh.members).map(asUnpaired), after };
  };
}

/** Something of Meshjoin's is on it; of one that does not answer, as it was noted. */
function hasJoined(member: Member, noted: ReadonlySet<string>): boolean {
  if (!isReachable(member)) return noted.has(member.clusterId);
  const { cacerts, controlPlane } = member.state;
  return cacerts?.owner === "ours" || controlPlane?.owner === "ours";
}

/** One record holds so many; each member begins at another place, so that all are on some record. */
function partFor({ clusterId }: Member, unknown: readonly Member[], members: readonly Member[]): Member[] {
  const index = members.findIndex((each) => each.clusterId === clusterId);
  const start = unknown.length <= UNPAIRED_MAX ? 0 : (index * UNPAIRED_MAX) % unknown.length;
  return [...unknown.slice(start), ...unknown.slice(0, start)].slice(0, UNPAIRED_MAX);
}

function asUnpaired({ clusterId, cluster: { ref } }: Member): Unpaired {
  return { clusterId, resource: clusterResource(ref) };
}

/** Itself, and those that its Secrets name: as the look had them, and as this run has changed them. */
function knownTo({ clusterId, state }: ReachableMember, { pairs }: Report): ReadonlySet<string> {
  const read = new Set(
    state.remoteSecrets.filter(({ owner }) => owner === "ours").map(({ targetId }) => targetId),
  );
  const others = new Set([
    ...state.readerSecrets.filter(({ owner }) => owner === "ours").map(({ readerId }) => readerId),
    ...(state.drainCopies ?? []).filter(({ owner }) => owner === "ours").map(({ of }) => of),
  ]);
  for (const { reader, target, outcome } of pairs) {
    const isMade = outcome === "created" || outcome === "updated";
    if (reader === clusterId && isMade) read.add(target);
    if (reader === clusterId && outcome === "deleted") read.delete(target);
    if (target === clusterId && isMade) others.add(reader);
  }
  return new Set([clusterId, ...read, ...others]);
}

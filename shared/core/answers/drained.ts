import type { Finding } from "./finding.ts";
import type { MemberStatus, PairStatus, Status } from "./status.ts";

export function isDrained({ drain }: Pick<MemberStatus, "drain">): boolean {
  return drain.state === "present";
}

/** IDs of the drained members. */
export function drainedIds(members: readonly MemberStatus[]): ReadonlySet<string> {
  return new Set(members.filter(isDrained).map(({ clusterId }) => clusterId));
}

/** IDs of the drained members that do not answer. */
export function silentDrainedIds(members: readonly MemberStatus[]): ReadonlySet<string> {
  return drainedIds(members.filter(({ reachable }) => !reachable));
}

/**
 * Whether a finding is held against the mesh. A drained member may be in trouble, as long as requests to its
 * peers pass; that Meshjoin has drained it by itself, somebody should look at.
 */
export function isHeldAgainst(
  { severity, clusterId = "", reason }: Finding,
  drained: ReadonlySet<string>,
): boolean {
  if (severity === "info") return false;
  return severity === "error" || !drained.has(clusterId) || reason === "DrainedAutomatically";
}

/**
 * The pairs that should be. One with a drained target should not; what a drained member reads while it does
 * not answer, nobody waits for.
 */
export function wantedPairs({ members, pairs }: Pick<Status, "members" | "pairs">): readonly PairStatus[] {
  const drained = drainedIds(members);
  if (drained.size === 0) return pairs;
  const silent = silentDrainedIds(members);
  return pairs.filter(({ reader, target }) => !drained.has(target) && !silent.has(reader));
}

import type { MemberStatus, PairStatus, Status } from "./status.ts";

export function isDrained({ drain }: Pick<MemberStatus, "drain">): boolean {
  return drain.state === "present";
}

/** IDs of the drained members. */
export function drainedIds(members: readonly MemberStatus[]): ReadonlySet<string> {
  return new Set(members.filter(isDrained).map(({ clusterId }) => clusterId));
}

/**
 * The pairs that should be. One with a drained target should not; what a drained member reads while it does
 * not answer, nobody waits for.
 */
export function wantedPairs({ members, pairs }: Pick<Status, "members" | "pairs">): readonly PairStatus[] {
  const drained = drainedIds(members);
  if (drained.size === 0) return pairs;
  const silent = drainedIds(members.filter(({ reachable }) => !reachable));
  return pairs.filter(({ reader, target }) => !drained.has(target) && !silent.has(reader));
}

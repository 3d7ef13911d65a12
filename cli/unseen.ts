import { count } from "../shared/core/count.ts";
import { isReachable, type Member } from "../shared/core/member/observation.ts";
import type { Scope } from "../shared/core/request.ts";
import type { Names } from "./screen.ts";

/** A sentence about the members whose part of a foresight is not known; none where all could be asked. */
export function unseenOf(members: readonly Member[], names: Names): string[] {
  const unseen = members.filter((member) => !isReachable(member)).map(({ clusterId }) => names(clusterId));
  if (unseen.length === 0) return [];
  return [
    `Not known: what ${count(unseen.length, "member")} would need that cannot be reached (${unseen.join(", ")}).`,
  ];
}

export function inScope(members: readonly Member[], scope: Scope): readonly Member[] {
  return scope === "mesh" ? members : members.filter(({ clusterId }) => clusterId === scope.clusterId);
}

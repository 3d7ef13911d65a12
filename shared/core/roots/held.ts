import { VIEW_VARIABLES } from "../cluster/sources.ts";
import { isReachable, type Member } from "../member/observation.ts";
import type { Refusal } from "./stages.ts";

/**
 * Clusters that are no members, and that members hold a remote secret of or a reader Secret for; by cluster
 * ID, with the members that hold it. Traffic flows between them even if this configuration leaves their
 * project out, and for a foreign remote secret as well. A remote secret that istiod ignores does not count.
 */
export function heldClusters(members: readonly Member[]): ReadonlyMap<string, readonly string[]> {
  const present = new Set(members.map(({ clusterId }) => clusterId));
  const holders = new Map<string, Set<string>>();
  for (const { clusterId, state } of members.filter(isReachable)) {
    const named = [
      ...state.remoteSecrets.filter(({ isRead }) => isRead).map(({ targetId }) => targetId),
      ...state.readerSecrets.filter(({ owner }) => owner === "ours").map(({ readerId }) => readerId),
    ];
    for (const id of named) {
      if (id !== "" && !present.has(id)) holders.set(id, (holders.get(id) ?? new Set()).add(clusterId));
    }
  }
  return new Map([...holders].map(([id, holderIds]) => [id, [...holderIds]]));
}

/** IDs of clusters that are no members, and that run by the word of their sources. */
export interface Running {
  /** This configuration leaves them out. */
  readonly leftOut: ReadonlySet<string>;
  /** They have lost their label, and no person has said that they leave. */
  readonly lost: ReadonlySet<string>;
}

/** Why a rotation may not go on without these clusters; undefined if it may. */
export function refuseExclusion(
  without: readonly string[],
  members: readonly Member[],
  { leftOut, lost }: Running,
): Refusal | undefined {
  const member = members.find(({ clusterId }) => without.includes(clusterId));
  if (member !== undefined) {
    return {
      refused: "ExclusionIsMember",
      message: `${member.clusterId} is a member: its workloads would be cut off when the old root leaves`,
      cure: `take it out of the mesh first: meshjoin leave ${member.clusterId}`,
    };
  }
  const existing = without.find((id) => leftOut.has(id));
  if (existing !== undefined) {
    return {
      refused: "ExclusionIsMember",
      message: `${existing} is there, and this configuration leaves it out: its workloads would be cut off when the old root leaves`,
      cure: `name it in ${VIEW_VARIABLES}, as the functions do, and see what it waits for: meshjoin root status`,
    };
  }
  const missed = without.find((id) => lost.has(id));
  if (missed !== undefined) {
    return {
      refused: "ExclusionIsMember",
      message: `${missed} runs, and has only lost its label: its workloads would be cut off when the old root leaves`,
      cure: `take it back with the command of the finding MemberLost; or take it out of the mesh first: meshjoin leave ${missed}`,
    };
  }
  const clusters = heldClusters(members);
  const unknown = without.filter((id) => !clusters.has(id));
  return unknown.length === 0
    ? undefined
    : {
        refused: "ExclusionUnknown",
        message: `no member holds anything of ${unknown.join(", ")}, so it holds nothing back`,
        cure: "see what the stage waits for, and name that cluster ID: meshjoin root status",
      };
}

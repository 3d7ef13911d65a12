import type { Finding } from "../../../../shared/core/answers/finding.ts";
import type { MemberStatus, PairStatus, Status } from "../../../../shared/core/answers/status.ts";
import { type Health, verdictOf } from "../../../../shared/core/answers/verdict.ts";
import { type Gap, ownerOfGap, pairsOfGap } from "./gaps.ts";

const WORST_FIRST: readonly Health[] = ["broken", "degraded", "whole"];

interface MeshFacts {
  readonly status: Status;
  readonly gaps: readonly Gap[];
  readonly findings: readonly Finding[];
}

function keyOf({ reader, target }: Pick<PairStatus, "reader" | "target">): string {
  return JSON.stringify([reader, target]);
}

/**
 * By cluster ID: the verdict of the mesh, asked of what belongs to one member: its findings, and the gaps
 * that it owns.
 */
export function memberHealths({ status, gaps, findings }: MeshFacts): ReadonlyMap<string, Health> {
  const rows = Map.groupBy(status.pairs, keyOf);
  const gapsBy = Map.groupBy(gaps, ownerOfGap);
  const findingsBy = Map.groupBy(findings, ({ clusterId }) => clusterId);
  const healthOf = (member: MemberStatus): Health => {
    const own = gapsBy.get(member.clusterId)?.flatMap(pairsOfGap) ?? [];
    return verdictOf({
      ...status,
      members: [{ ...member, findings: findingsBy.get(member.clusterId) ?? [] }],
      pairs: own.flatMap((pair) => rows.get(keyOf(pair)) ?? []),
      findings: [],
    }).health;
  };
  return new Map(status.members.map((member) => [member.clusterId, healthOf(member)]));
}

/** Of one health those come first that Meshjoin does not reach; else they keep their order. */
export function worstMembersFirst(
  members: readonly MemberStatus[],
  healths: ReadonlyMap<string, Health>,
): MemberStatus[] {
  const rank = ({ clusterId, reachable }: MemberStatus): number =>
    2 * WORST_FIRST.indexOf(healths.get(clusterId) ?? "whole") + Number(reachable);
  return members.toSorted((a, b) => rank(a) - rank(b));
}

import { isDrained } from "../../../../shared/core/answers/drained.ts";
import type { Finding } from "../../../../shared/core/answers/finding.ts";
import type { MemberStatus, Status } from "../../../../shared/core/answers/status.ts";
import type { PageView } from "../view.ts";
import { type Gap, pairsOfGap } from "./gaps.ts";

/**
 * Whether the page offers a sync: `planned` after a plan with actions, `ask` where no plan says. Not where
 * it cannot help: functions that are `paused`, a plan of `nothing`, no member, or trouble at members alone
 * that Meshjoin does not reach (`unreachable`).
 */
export type SyncOffer = "planned" | "ask" | "paused" | "nothing" | "no member" | "unreachable";

interface OfferFacts extends Pick<PageView, "plan"> {
  readonly status: Status;
  readonly members: readonly MemberStatus[];
  readonly gaps: readonly Gap[];
  readonly findings: readonly Finding[];
}

export function syncOfferOf(facts: OfferFacts): SyncOffer {
  const { status, members, plan } = facts;
  if (status.writesPaused !== null) return "paused";
  if (plan !== undefined) return plan.actions.length === 0 ? "nothing" : "planned";
  if (members.length === 0) return "no member";
  return isAllOutOfReach(facts) ? "unreachable" : "ask";
}

function isAllOutOfReach({ members, gaps, findings }: OfferFacts): boolean {
  const missed = members.filter((member) => !member.reachable && !isDrained(member));
  const away = new Set(missed.map(({ clusterId }) => clusterId));
  return (
    away.size > 0 &&
    gaps.flatMap(pairsOfGap).every(({ reader, target }) => away.has(reader) || away.has(target)) &&
    findings.every(({ clusterId = "" }) => away.has(clusterId))
  );
}

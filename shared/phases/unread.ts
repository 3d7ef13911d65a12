import { type Fault, faultFinding } from "../core/answers/error-finding.ts";
import { isReachable } from "../core/member/observation.ts";
import type { MemberReport } from "../report.ts";
import type { Phase } from "./course.ts";
import { unfinished } from "./judge-pair.ts";

/**
 * Parts of a member that could not be read though its API server answers: its gateways, its traffic rules,
 * its pods of a former network. What was due there the run has not done, so it does not end as if it had.
 */
export const unread: Phase = async (_, { mesh }) => ({
  members: mesh.members
    .filter(isReachable)
    .filter(({ clusterId }) => mesh.subjects.has(clusterId))
    .flatMap(({ clusterId, state: { gateways, trafficRules, podsElsewhere } }) =>
      [gateways, trafficRules, podsElsewhere].flatMap((part) =>
        part !== undefined && "unread" in part ? [unreadPart(clusterId, part.unread)] : [],
      ),
    ),
});

/** No other part of the member's work waits for it. */
export function unreadPart(clusterId: string, fault: Fault): MemberReport {
  return { clusterId, outcome: unfinished(fault), findings: [faultFinding(fault, clusterId)], isAside: true };
}

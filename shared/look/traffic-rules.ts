import { within } from "../async/within.ts";
import { isReachable, type Member } from "../core/member/observation.ts";
import { asMeshjoinError } from "../errors.ts";
import { ROOT_RULES, trafficRules } from "../istio/traffic-defaults.ts";
import type { Run } from "../run.ts";

/**
 * The members with the rules over all Services, for which each one with an istiod of Meshjoin's is asked
 * once, within its own time. An answer that does not come, or a refusal, is a value. Never fails.
 */
export async function lookAtTrafficRules(
  run: Run,
  members: readonly Member[],
  timeoutMs?: number,
): Promise<readonly Member[]> {
  return await Promise.all(members.map((member) => withTrafficRules(run, member, timeoutMs)));
}

async function withTrafficRules(run: Run, member: Member, timeoutMs: number | undefined): Promise<Member> {
  const { cluster, clusterId } = member;
  if (!isReachable(member) || member.state.controlPlane?.owner !== "ours") return member;
  const { ports, spec, signal } = run;
  const { reader } = ports.fleet.member(cluster);
  try {
    const rules = await run.inTurn(() => reader.list(ROOT_RULES, within(signal, timeoutMs)));
    return { ...member, state: { ...member.state, trafficRules: trafficRules(rules, spec.meshId) } };
  } catch (error) {
    const fault = asMeshjoinError(error, clusterId, "its traffic rules were read");
    const { code, message, cure, retryable } = fault;
    const unread = { code, message, cure, retryable };
    return { ...member, state: { ...member.state, trafficRules: { unread } } };
  }
}

import type { Finding } from "../core/answers/finding.ts";
import type { ReachableMember } from "../core/member/observation.ts";
import { silentIn, silentPeersOf } from "../core/member/reach.ts";
import { wouldLose } from "../core/member/restart.ts";
import { endpointsHeld } from "../look/endpoints-held.ts";
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
  const silent = silentPeersOf(member, silentIn(mesh.members));
  const held = await endpointsHeld(run, member, silent);
  return held.length === 0 ? undefined : wouldLose(member, held);
}

import { applyMember } from "../apply.ts";
import { within } from "../async/within.ts";
import type { Finding } from "../core/finding.ts";
import type { Member } from "../core/observation.ts";
import { isUnfinished, outcomeOfFailure } from "../core/outcome.ts";
import type { MeshjoinError } from "../errors.ts";
import { observeMember } from "../look/member.ts";
import type { MemberAction } from "../plan/action.ts";
import { planContext } from "../plan-context.ts";
import { type Report, settle } from "../report.ts";
import type { Run } from "../run.ts";
import type { Course } from "./course.ts";
import { awaitReady, WAIT_MS } from "./own-halves.ts";
import { verifyPairs } from "./pairs.ts";

/** What is due for one member. */
export interface Turn {
  readonly clusterId: string;
  readonly action: MemberAction;
}

/** Why a member did not come out of its turn whole. */
export interface TurnFault {
  readonly clusterId: string;
  readonly outcome: "waiting" | "failed";
  readonly findings: readonly Finding[];
  readonly errors: readonly MeshjoinError[];
}

/** A run has 500 s; what is begun after this might not be seen to its end. */
export const BEGIN_WITHIN_MS = 300_000;

/** What the turns have come to: `members` as they are after it, and those of them that did not come out whole. */
interface Taken {
  readonly members: readonly Member[];
  readonly faults: readonly TurnFault[];
}

/**
 * The turns of some members, side by side: what is due is done to each, and it is whole again when istiod is ready, serves its
 * intermediate, and all its pairs are synced. They alone are looked at anew; their peers are taken as `members` have them, which are
 * all as they were seen last.
 */
export async function takeTurns(
  run: Run,
  course: Course,
  members: readonly Member[],
  turns: readonly Turn[],
): Promise<Taken> {
  const limit = within(run.signal, WAIT_MS);
  const taken = await Promise.all(turns.map((turn) => take(run, members, turn, limit)));
  const ready = new Map(taken.flatMap((each) => ("state" in each ? [[each.clusterId, each] as const] : [])));
  const faults = taken.flatMap((each) => ("state" in each ? [] : [each]));
  const after = members.map((member) => ready.get(member.clusterId) ?? member);
  const context = planContext(run, course.request);
  const verified = await verifyPairs(run, { ...course.mesh, members: after }, new Set(ready.keys()), context);
  const late = [...ready.keys()].flatMap((id) => faultOf(id, verified) ?? []);
  return { members: after, faults: [...faults, ...late] };
}

/** The member as it is when its istiod is ready, or why it is not. */
async function take(
  run: Run,
  members: readonly Member[],
  { clusterId, action }: Turn,
  limit: AbortSignal,
): Promise<Member | TurnFault> {
  const { ports, spec, signal } = run;
  const fault = { clusterId, findings: [], errors: [] };
  const known = members.find((member) => member.clusterId === clusterId);
  if (known === undefined) return { ...fault, outcome: "waiting" };
  const look = async () => await observeMember(ports, spec, known.cluster, "subject", signal);
  return await settle<Member | TurnFault>(
    clusterId,
    "it had its turn",
    async () => {
      const member = await run.inTurn(async () => {
        const now = await look();
        await applyMember(run, now, [action]);
        return now;
      });
      if (!(await awaitReady(run, member, limit))) return { ...fault, outcome: "waiting" };
      return await run.inTurn(look);
    },
    ({ outcome, finding, error }) => ({ clusterId, outcome, findings: [finding], errors: [error] }),
  );
}

/** What was seen of the pairs of one of the members; undefined if it is whole. */
function faultOf(
  id: string,
  { pairs = [], members = [], findings = [], errors = [] }: Partial<Report>,
): TurnFault | undefined {
  const bad = [
    ...pairs.filter(({ reader, target, counts }) => counts && (reader === id || target === id)),
    ...members.filter(({ clusterId }) => clusterId === id),
  ].filter(({ outcome }) => isUnfinished(outcome));
  if (bad.length === 0) return undefined;
  const retryable = bad.every(({ outcome }) => outcome === "waiting");
  const own = members.flatMap((member) => (member.clusterId === id ? member.findings : []));
  return { clusterId: id, outcome: outcomeOfFailure({ retryable }), findings: [...findings, ...own], errors };
}

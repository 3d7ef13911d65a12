import { applyMember } from "../apply/member.ts";
import { within } from "../async/within.ts";
import type { Finding } from "../core/answers/finding.ts";
import { isUnfinished, outcomeOfFailure } from "../core/answers/outcome.ts";
import type { Member } from "../core/member/observation.ts";
import type { MeshjoinError } from "../errors.ts";
import { observeAgain } from "../look/member.ts";
import type { MemberAction } from "../plan/action.ts";
import { planContext } from "../plan-context.ts";
import { NOTHING, type PairReport, type Report, settle } from "../report.ts";
import type { Run } from "../run.ts";
import type { Course } from "./course.ts";
import { keyOf } from "./judge-pair.ts";
import { awaitReady, WAIT_MS } from "./own-halves.ts";
import { verifyPairs } from "./pairs.ts";

/** A member that did not come out of its turn whole. */
export interface TurnFault {
  readonly clusterId: string;
  readonly outcome: "waiting" | "failed";
}

/** A run has 500 s; what is begun after this might not be seen to its end. */
export const BEGIN_WITHIN_MS = 300_000;

/** What the turns have come to. */
interface Taken {
  /** As they are after it. */
  readonly members: readonly Member[];
  readonly faults: readonly TurnFault[];
  /** Why, of all faults together: members of one batch share a look, and what it has seen is said once. */
  readonly findings: readonly Finding[];
  readonly errors: readonly MeshjoinError[];
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
  actions: readonly MemberAction[],
): Promise<Taken> {
  const limit = within(run.signal, WAIT_MS);
  const taken = await Promise.all(actions.map((action) => take(run, members, action, limit)));
  const ready = new Map(taken.flatMap(({ member }) => (member ? [[member.clusterId, member] as const] : [])));
  const after = members.map((member) => ready.get(member.clusterId) ?? member);
  const context = planContext(run, course.request);
  const mesh = { ...course.mesh, members: after };
  const left = course.report.pairs.filter(({ isBlocked }) => isBlocked === true).map(keyOf);
  const verified = await verifyPairs(run, mesh, new Set(ready.keys()), context, new Set(left));
  const late = [...ready.keys()].flatMap((id) => faultOf(id, verified) ?? []);
  const seen = late.length === 0 ? NOTHING : verified;
  const lateIds = new Set(late.map(({ clusterId }) => clusterId));
  const own = seen.members.filter(({ clusterId }) => lateIds.has(clusterId));
  return {
    members: after,
    faults: [...taken.flatMap(({ fault }) => fault ?? []), ...late],
    findings: [
      ...taken.flatMap(({ finding }) => finding ?? []),
      ...seen.findings,
      ...own.flatMap(({ findings }) => findings),
    ],
    errors: [...taken.flatMap(({ error }) => error ?? []), ...seen.errors],
  };
}

/** One member's part: as it is when its istiod is ready, or why it is not. */
interface TakenOne {
  readonly member?: Member;
  readonly fault?: TurnFault;
  readonly finding?: Finding;
  readonly error?: MeshjoinError;
}

async function take(
  run: Run,
  members: readonly Member[],
  action: MemberAction,
  limit: AbortSignal,
): Promise<TakenOne> {
  const { clusterId } = action;
  const waiting: TakenOne = { fault: { clusterId, outcome: "waiting" } };
  const known = members.find((member) => member.clusterId === clusterId);
  if (known === undefined) return waiting;
  const look = () => observeAgain(run, known);
  return await settle(
    clusterId,
    "it had its turn",
    async (): Promise<TakenOne> => {
      const member = await run.inTurn(async () => {
        const now = await look();
        await applyMember(run, now, [action]);
        return now;
      });
      if (!(await awaitReady(run, member, limit))) return waiting;
      return { member: await run.inTurn(look) };
    },
    ({ outcome, finding, error }): TakenOne => ({ fault: { clusterId, outcome }, finding, error }),
  );
}

/** Whether the member, or a pair of it that counts, is not as it should be; undefined if all is, but for what only a person can mend. */
function faultOf(id: string, { pairs, members }: Report): TurnFault | undefined {
  const bad = [
    ...pairs.filter(({ counts, isBlocked = false }) => counts && !isBlocked).filter(isOf(id)),
    ...members.filter(({ clusterId }) => clusterId === id),
  ].filter(({ outcome }) => isUnfinished(outcome));
  if (bad.length === 0) return undefined;
  const retryable = bad.every(({ outcome }) => outcome === "waiting");
  return { clusterId: id, outcome: outcomeOfFailure({ retryable }) };
}

const isOf =
  (id: string) =>
  ({ reader, target }: PairReport) =>
    reader === id || target === id;

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

/** A run has 500 s: a turn that begins after this time might not end within it. */
export const BEGIN_WITHIN_MS = 300_000;

/** The result of some turns. */
interface TurnResults {
  /** As they are after the turns. */
  readonly members: readonly Member[];
  readonly faults: readonly TurnFault[];
  /** Of all faults together: the members of one batch share a look, and its findings are reported once. */
  readonly findings: readonly Finding[];
  readonly errors: readonly MeshjoinError[];
}

/**
 * The turns of some members, side by side. A turn carries the member's action out; the member is whole again
 * when its istiod is ready, serves its intermediate, and all its pairs are synced. Only these members are
 * read again; their peers are taken from `members`, the last look at all.
 */
export async function takeTurns(
  run: Run,
  course: Course,
  members: readonly Member[],
  actions: readonly MemberAction[],
): Promise<TurnResults> {
  const limit = within(run.signal, WAIT_MS);
  const turns = await Promise.all(actions.map((action) => take(run, members, action, limit)));
  const ready = new Map(turns.flatMap(({ member }) => (member ? [[member.clusterId, member] as const] : [])));
  const after = members.map((member) => ready.get(member.clusterId) ?? member);
  const context = planContext(run, course.request);
  const mesh = { ...course.mesh, members: after };
  const blocked = course.report.pairs.filter(({ isBlocked }) => isBlocked === true).map(keyOf);
  const verified = await verifyPairs(run, mesh, new Set(ready.keys()), context, new Set(blocked));
  const late = [...ready.keys()].flatMap((id) => faultOf(id, verified) ?? []);
  const reported = late.length === 0 ? NOTHING : verified;
  const lateIds = new Set(late.map(({ clusterId }) => clusterId));
  const own = reported.members.filter(({ clusterId }) => lateIds.has(clusterId));
  return {
    members: after,
    faults: [...turns.flatMap(({ fault }) => fault ?? []), ...late],
    findings: [
      ...turns.flatMap(({ finding }) => finding ?? []),
      ...reported.findings,
      ...own.flatMap(({ findings }) => findings),
    ],
    errors: [...turns.flatMap(({ error }) => error ?? []), ...reported.errors],
  };
}

/** One member's turn: its state once istiod is ready, or the fault. */
interface MemberTurn {
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
): Promise<MemberTurn> {
  const { clusterId } = action;
  const waiting: MemberTurn = { fault: { clusterId, outcome: "waiting" } };
  const before = members.find((member) => member.clusterId === clusterId);
  if (before === undefined) return waiting;
  const look = () => observeAgain(run, before);
  return await settle(
    clusterId,
    "it had its turn",
    async (): Promise<MemberTurn> => {
      const member = await run.inTurn(async () => {
        const now = await look();
        await applyMember(run, now, [action]);
        return now;
      });
      if (!(await awaitReady(run, member, limit))) return waiting;
      return { member: await run.inTurn(look) };
    },
    ({ outcome, finding, error }): MemberTurn => ({ fault: { clusterId, outcome }, finding, error }),
  );
}

/** The fault of the member or of a pair that counts; a fault that only a person can mend is none. */
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

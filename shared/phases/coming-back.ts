import { isOutOfReach } from "../core/answers/error-finding.ts";
import { isUnfinished } from "../core/answers/outcome.ts";
import type { DrainNote } from "../core/member/drain.ts";
import { drainCopy, drainNoteRef } from "../istio/drain-note.ts";
import { type PairPlan, takeBackLater } from "../plan/pair.ts";
import { planContext } from "../plan-context.ts";
import { type MemberFault, merge, type PairReport, type Report, settle } from "../report.ts";
import type { Run } from "../run.ts";
import { type Phase, wholeSubjects } from "./course.ts";
import { keyOf } from "./judge-pair.ts";
import { connectAll, type Round, roundOf, verify } from "./pairs.ts";
import { BEGIN_WITHIN_MS } from "./turn.ts";
import { withdrawUnseen } from "./withdraw.ts";

/**
 * After a drain the readers take the member back, a share of them at a time; the next share when the pairs of
 * this one are synced. Each run begins with a share, whatever became of the one before, so that an istiod
 * which does not sync holds the others up for no longer than until the next run.
 */
export const comingBack: Phase = async (run, course) => {
  const { mesh, request } = course;
  const round = roundOf(mesh, wholeSubjects(course), planContext(run, request));
  const returning = round.plans.filter(({ isReturning }) => isReturning === true);
  const byTarget = Map.groupBy(returning, ({ target }) => target);
  const size = Math.max(1, Math.floor(run.spec.rotationShare * mesh.members.length));
  return merge(
    ...(await Promise.all([...byTarget.values()].map((plans) => bringBack(run, round, plans, size)))),
  );
};

async function bringBack(run: Run, round: Round, plans: readonly PairPlan[], size: number): Promise<Report> {
  const started = performance.now();
  const reports: Partial<Report>[] = [];
  let remaining = plans;
  let isLate = false;
  while (remaining.length > 0) {
    isLate = run.signal.aborted || performance.now() - started > BEGIN_WITHIN_MS;
    if (isLate) break;
    const share = remaining.slice(0, size);
    remaining = remaining.slice(size);
    // oxlint-disable-next-line no-await-in-loop -- the next share only when this one is synced
    const { report, isPending } = await takeBack(run, round, share);
    // The own halves of the subjects are told already.
    reports.push({ ...report, members: [] });
    if (isPending) break;
  }
  return merge(...reports, {
    pairs: remaining.map(({ reader, target }) => ({ reader, target, outcome: "waiting", counts: true })),
    findings: remaining.length === 0 ? [] : [takeBackLater(remaining)],
    isCutShort: isLate,
  });
}

interface TakenBack {
  readonly report: Report;
  /** A reader has taken the member back, and its istiods do not list it as synced yet. */
  readonly isPending: boolean;
}

/**
 * A new drain writes its note into the reader first, and then looks for the remote secret. Here the remote
 * secret comes first, and then the look for the note. So one of the two sees the other. A reader that does
 * not take the member back, for a trouble of its own, holds no other up.
 */
async function takeBack(run: Run, round: Round, share: readonly PairPlan[]): Promise<TakenBack> {
  const before = await drainsNow(run, round, share);
  const plans = share.filter((plan) => before.get(plan) === "serving");
  const written = await connectAll(run, plans, round.mesh.members);
  const after = await drainsNow(run, round, plans);
  const left = plans.filter((plan) => after.get(plan) === "serving");
  const verified = await verify(run, { ...round, plans: left }, written);
  const undone = merge(
    ...(await Promise.all(
      plans
        .filter((plan) => after.get(plan) !== "serving")
        .map((plan) => undo(run, round, plan, after.get(plan) !== "drained")),
    )),
  );
  const unread = [...before].flatMap(([plan, now]) => (typeof now === "string" ? [] : [unreadIn(plan, now)]));
  return {
    report: merge(verified, undone, ...unread),
    isPending:
      undone.errors.length > 0 ||
      verified.pairs.some((pair) => isUnsynced(pair) && typeof written.get(keyOf(pair)) === "boolean"),
  };
}

/** What a reader has on record of a drain of the target, or why it did not say. */
type DrainNow = "drained" | "serving" | MemberFault;

async function drainsNow(
  run: Run,
  round: Round,
  plans: readonly PairPlan[],
): Promise<ReadonlyMap<PairPlan, DrainNow>> {
  const answers = plans.map(
    async (plan) =>
      [
        plan,
        await settle<DrainNow>(
          plan.reader,
          `its note of the drain of ${plan.target} was read`,
          () =>
            run.inTurn(async () => {
              const note = await noteIn(run, round, plan.reader, plan.target);
              return note?.state === "drained" ? "drained" : "serving";
            }),
          (fault) => fault,
        ),
      ] as const,
  );
  return new Map(await Promise.all(answers));
}

function unreadIn(
  { reader, target }: PairPlan,
  { outcome, finding: found, error }: MemberFault,
): Partial<Report> {
  return {
    pairs: [{ reader, target, outcome, counts: !isOutOfReach(error) }],
    findings: [found],
    errors: [error],
  };
}

async function noteIn(
  { ports, spec, signal }: Run,
  { mesh }: Round,
  reader: string,
  target: string,
): Promise<DrainNote | undefined> {
  const member = mesh.members.find(({ clusterId }) => clusterId === reader);
  if (member === undefined) return undefined;
  const secret = await ports.fleet.member(member.cluster).reader.get(drainNoteRef(target), signal);
  return secret && drainCopy(secret, spec.meshId)?.note;
}

/** A pair of which the reader no longer tells whether it should be waits for the next run. */
async function undo(
  run: Run,
  { mesh }: Round,
  { reader, target }: PairPlan,
  isUnread: boolean,
): Promise<Partial<Report>> {
  const report = await withdrawUnseen(run, { reader, target }, mesh.members);
  if ((report.errors ?? []).length > 0) return report;
  const outcome = isUnread ? "waiting" : "unchanged";
  return { ...report, pairs: [{ reader, target, outcome, counts: true }] };
}

function isUnsynced({ outcome, counts }: PairReport): boolean {
  return counts && isUnfinished(outcome);
}

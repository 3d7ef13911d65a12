import { dropDrainNote, writeDrainNote } from "../apply/drain-note.ts";
import { isOutOfReach } from "../core/answers/error-finding.ts";
import type { Finding } from "../core/answers/finding.ts";
import { outcomeOf, outcomeOfFailure } from "../core/answers/outcome.ts";
import { isReachable, type ReachableMember } from "../core/member/observation.ts";
import { ConflictError } from "../errors.ts";
import { lookAtDrainNotes } from "../look/drain-notes.ts";
import type { DrainAction } from "../plan/action.ts";
import type { PairContext } from "../plan/context.ts";
import { planDrainNotes } from "../plan/drain-notes.ts";
import { drainsTogether } from "../plan/drains.ts";
import { pairContextOf } from "../plan/mesh.ts";
import { type PairPlan, planPairs, plansCarriedByDrained } from "../plan/pair.ts";
import { planContext } from "../plan-context.ts";
import { merge, type Report, settle } from "../report.ts";
import type { Run } from "../run.ts";
import type { Course, Phase } from "./course.ts";
import { withdraw, withdrawAll, withdrawUnseen } from "./withdraw.ts";

/**
 * Brings notes of drains to every member, and takes the remote secrets of drained members away: of each
 * reader after its note, so that a run which dies in between leaves a drain that the next one goes on with. A
 * reader that had none is asked again after its note: another run may just have taken the member back.
 * Needs nothing of the drained member.
 */
export const drains: Phase = async (run, course) => {
  const { mesh, request } = course;
  if (mesh.isPartial) return {};
  const context = pairContextOf(mesh, planContext(run, request), "now");
  const all = new Set(mesh.members.map(({ clusterId }) => clusterId));
  const pairs = planPairs(all, context);
  const { actions, findings } = planDrainNotes(context, pairs);
  const concerns = (...ids: readonly string[]) => ids.some((id) => mesh.subjects.has(id));
  const due = actions.filter(({ clusterId, of }) => concerns(clusterId, of));
  const drained = pairs.filter(
    ({ isDrained, reader, target }) => isDrained === true && concerns(reader, target),
  );
  const noted = new Map(
    mesh.members.filter(isReachable).map((holder) => {
      const own = due.filter(({ clusterId }) => clusterId === holder.clusterId);
      return [
        holder.clusterId,
        Promise.all(own.map((action) => note(run, context, holder, action))),
      ] as const;
    }),
  );
  const taken = [...noted.keys()].map(async (reader) => {
    const own = drained.filter((plan) => plan.reader === reader && plan.withdrawal !== undefined);
    const onRecord = await Promise.all(own.map((plan) => isOnRecord(plan, context, noted)));
    const plans = own.filter((_, index) => onRecord[index]);
    const noting = new Set((await noted.get(reader))?.flatMap(({ of, isDone }) => (isDone ? [of] : [])));
    const unseen = drained.filter(
      (plan) => plan.reader === reader && plan.withdrawal === undefined && noting.has(plan.target),
    );
    return merge(
      await takeAway(run, course, context, plans),
      ...(await Promise.all(unseen.map((plan) => withdrawUnseen(run, plan, mesh.members)))),
    );
  });
  const told = findings.filter(({ clusterId = "" }) => clusterId === "" || concerns(clusterId));
  const unreached = drained.filter(({ withdrawal }) => withdrawal === undefined);
  const notes = (await Promise.all(noted.values())).flat();
  const [together, ...taking] = await Promise.all([metOthers(run, context, notes), ...taken]);
  return merge(
    { findings: [...told, ...unreached.flatMap((plan) => plan.findings), ...together] },
    ...notes.map(({ report }) => report),
    ...taking,
  );
};

/** Asks for the notes again only where this run has drained a member, and nobody has confirmed how many. */
async function metOthers(run: Run, context: PairContext, notes: readonly Noted[]): Promise<Finding[]> {
  const { drains: register, confirm, members } = context;
  const isBegun = (id: string) => {
    const standing = register.of(id);
    return standing.state === "drained" && standing.isNew;
  };
  const own = new Set(notes.flatMap(({ of, isDone }) => (isDone && isBegun(of) ? [of] : [])));
  if (own.size === 0 || confirm.includes("MassDrain")) return [];
  return [drainsTogether(await lookAtDrainNotes(run, members), own, context) ?? []].flat();
}

type NotedBy = ReadonlyMap<string, Promise<readonly Noted[]>>;

/**
 * A remote secret that goes without a note anywhere would come back with the next run. The reader's own note
 * is enough; where it may hold none, or did not take it, that of any other member.
 */
async function isOnRecord(
  { reader, target }: PairPlan,
  { drains: register }: PairContext,
  noted: NotedBy,
): Promise<boolean> {
  const isWritten = (notes: readonly Noted[] = []) => notes.some(({ of, isDone }) => of === target && isDone);
  const own = await noted.get(reader);
  if (isWritten(own)) return true;
  if (own?.some(({ of, isOver }) => of === target && isOver) === true) return false;
  const standing = register.of(target);
  if ("isNew" in standing && !standing.isNew) return true;
  return (await Promise.all(noted.values())).some(isWritten);
}

interface Noted {
  readonly of: string;
  readonly isDone: boolean;
  /** A newer note has come since the look, and says that the drain is over. */
  readonly isOver?: boolean;
  readonly report: Partial<Report>;
}

async function note(
  run: Run,
  { members }: PairContext,
  { clusterId, cluster }: ReachableMember,
  action: DrainAction,
): Promise<Noted> {
  const { of, findings } = action;
  const target = members.find((member) => member.clusterId === of);
  if (target === undefined) return { of, isDone: true, report: {} };
  return await settle(
    clusterId,
    `its note of the drain of ${of} was written`,
    () =>
      run.inTurn(async (): Promise<Noted> => {
        const api = run.ports.fleet.member(cluster);
        if (action.kind === "dropDrainNote") await dropDrainNote(api, action, run.signal);
        else {
          const { wrote, held } = await writeDrainNote(
            api,
            action,
            target.cluster,
            run.spec.meshId,
            run.signal,
          );
          const isOver = action.note.state === "drained" && held.state === "serving";
          if (!wrote) return { of, isDone: !isOver, isOver, report: {} };
        }
        const outcome = outcomeOf(action);
        run.progress({ step: action.kind, clusterId, target: of, outcome });
        return {
          of,
          isDone: true,
          report: { members: [{ clusterId, outcome, findings, isAside: true }] },
        };
      }),
    ({ finding, outcome, error }): Noted => ({
      of,
      isDone: false,
      report: {
        // The drained member's own copy is one more: the drain stands without it.
        members:
          isOutOfReach(error) || clusterId === of
            ? []
            : [{ clusterId, outcome, findings: [finding], isAside: true }],
        findings: [finding],
        errors: error instanceof ConflictError ? [] : [error],
      },
    }),
  );
}

/**
 * First what the reader reaches through a drained member's gateway alone: without that member's remote secret
 * its istiod would hand out addresses of pods that the reader's network cannot reach.
 */
async function takeAway(
  run: Run,
  { mesh }: Course,
  context: PairContext,
  plans: readonly PairPlan[],
): Promise<Report> {
  const readers = new Set(plans.map(({ reader }) => reader));
  if (readers.size === 0) return merge();
  const carried = plansCarriedByDrained(readers, context);
  const first = await withdrawAll(run, carried, mesh.members);
  const taken = await Promise.all(
    plans.map(async ({ reader, target, withdrawal }): Promise<Partial<Report>> => {
      const mustWait = first.errors.length > 0;
      const report =
        mustWait || withdrawal === undefined ? {} : await withdraw(run, withdrawal, mesh.members);
      const [error] = report.errors ?? [];
      const outcome = mustWait ? "waiting" : error === undefined ? "deleted" : outcomeOfFailure(error);
      const counts = error === undefined || !isOutOfReach(error) || mesh.subjects.has(reader);
      return { ...report, pairs: [{ reader, target, outcome, counts }] };
    }),
  );
  return merge(first, ...taken);
}

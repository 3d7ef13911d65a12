import { connectPair, type Pair } from "../apply/connect.ts";
import { within } from "../async/within.ts";
import { isOutOfReach } from "../core/answers/error-finding.ts";
import { type Finding, finding } from "../core/answers/finding.ts";
import { outcomeOf } from "../core/answers/outcome.ts";
import { isReachable, type Member, type ReachableMember } from "../core/member/observation.ts";
import { asMeshjoinError, MeshjoinError } from "../errors.ts";
import { lookAtDrainNotes } from "../look/drain-notes.ts";
import { type Evidence, type Expectation, verifyMember } from "../look/istiods.ts";
import { lookAgain } from "../look/mesh.ts";
import type { Connect } from "../plan/action.ts";
import { drainsOnRecord, indexDrains } from "../plan/drains.ts";
import type { PeerStanding } from "../plan/member.ts";
import { type PlanContext, pairContextOf, planMembers, type SeenMesh } from "../plan/mesh.ts";
import { networksAfar } from "../plan/networks.ts";
import { type PairPlan, planPairs, plansWithoutGateway, type Turns, turnsOf } from "../plan/pair.ts";
import { planContext } from "../plan-context.ts";
import { type MemberReport, merge, type Report } from "../report.ts";
import type { Run } from "../run.ts";
import { type Phase, wholeSubjects } from "./course.ts";
import { drains } from "./drains.ts";
import { judgePair, keyOf, type WrittenPairs } from "./judge-pair.ts";
import { noteLoaded } from "./note-loaded.ts";
import { WAIT_MS } from "./own-halves.ts";
import { withdrawAll } from "./withdraw.ts";

/**
 * Round two of design rule 2: pairs of the subjects with whole own halves, until istiod lists them synced.
 */
export const pairs: Phase = async (run, course) => {
  const { members } = course.mesh;
  const all = roundOf(course.mesh, wholeSubjects(course), planContext(run, course.request));
  const round = { ...all, plans: all.plans.filter((plan) => !isOfDrain(plan)) };
  const [withdrawn, written] = await Promise.all([
    withdrawAll(run, [...round.plans, ...carriedByThese(round)], members),
    connectAll(run, round.plans, members),
  ]);
  const drained = await drainedMeanwhile(run, round, written);
  if (drained.size === 0) return merge(withdrawn, await verify(run, round, written));
  const mesh = await lookAgain(run, course.mesh, false);
  const taken = await drains(run, { ...course, mesh });
  const plans = round.plans.filter(({ target }) => !drained.has(target));
  return { ...merge(withdrawn, taken, await verify(run, { ...round, plans }, written)), mesh };
};

/**
 * IDs of targets of new remote secrets that are drained by now. A drain writes its note first, and then looks
 * for the remote secret; here the remote secret comes first, and then the look for the note. So one of the
 * two sees the other. The peers tell, too, because a new reader may not hold a note yet.
 */
async function drainedMeanwhile(
  run: Run,
  { mesh: { members }, context, plans }: Round,
  written: WrittenPairs,
): Promise<ReadonlySet<string>> {
  const created = plans.filter((plan) => plan.action?.verb === "create" && written.get(keyOf(plan)) === true);
  if (created.length === 0) return new Set();
  const before = indexDrains(members, context);
  const now = drainsOnRecord(await lookAtDrainNotes(run, members));
  const targets = new Set(created.map(({ target }) => target));
  return new Set([...targets].filter((id) => now(id).state === "drained" && !before.isDrained(id)));
}

/**
 * What a reader reaches through the gateway of a target alone whose remote secret it loses now. A run about
 * one cluster has no other plans for it, and the reader would get addresses that it cannot reach.
 */
function carriedByThese({ mesh, context, plans }: Round): PairPlan[] {
  const losing = plans.filter(({ withdrawal }) => withdrawal?.isCarrier === true);
  if (losing.length === 0) return [];
  const readers = new Set(losing.map(({ reader }) => reader));
  const planned = new Set(plans.map(keyOf));
  return plansWithoutGateway(readers, pairContextOf(mesh, context, "now")).filter(
    (plan) => !planned.has(keyOf(plan)),
  );
}

/** The phase of the drains has it, or that of those that come back. */
function isOfDrain({ isDrained, withdrawal, isReturning }: PairPlan): boolean {
  return isReturning === true || (isDrained === true && withdrawal !== undefined);
}

/**
 * Asks the readers' istiods about the pairs again, and writes nothing. `blocked`: by `reader target`, pairs
 * that only a person can mend; they are left out.
 */
export async function verifyPairs(
  run: Run,
  mesh: SeenMesh,
  subjects: ReadonlySet<string>,
  context: PlanContext,
  blocked: ReadonlySet<string>,
): Promise<Report> {
  const round = roundOf(mesh, subjects, context);
  const plans = round.plans.filter((plan) => !blocked.has(keyOf(plan)));
  return await verify(run, { ...round, plans }, new Map(plans.map((plan) => [keyOf(plan), false])));
}

export interface Round {
  readonly mesh: SeenMesh;
  readonly subjects: ReadonlySet<string>;
  readonly context: PlanContext;
  readonly standings: ReadonlyMap<string, PeerStanding>;
  readonly plans: readonly PairPlan[];
}

export function roundOf(mesh: SeenMesh, subjects: ReadonlySet<string>, context: PlanContext): Round {
  if (subjects.size === 0) return { mesh, subjects, context, standings: new Map(), plans: [] };
  const pairContext = pairContextOf(mesh, context, "now");
  const { standings } = pairContext;
  return { mesh, subjects, context, standings, plans: planPairs(subjects, pairContext) };
}

export async function verify(run: Run, round: Round, written: WrittenPairs): Promise<Report> {
  const { mesh, subjects, plans } = round;
  const evidence = await verifyAll(run, round, written);
  const verdicts = plans.map((plan) => judgePair(plan, { subjects, written, evidence }));
  for (const { reader, target, outcome, isSynced } of verdicts.map(({ pair }) => pair)) {
    if (isSynced === true) run.progress({ step: "pairSynced", clusterId: reader, target, outcome });
  }
  const own = mesh.members.filter(({ clusterId }) => subjects.has(clusterId)).filter(isReachable);
  return merge(await noteLoaded(run, own, evidence), {
    pairs: verdicts.map(({ pair }) => pair),
    findings: verdicts.flatMap(({ findings }) => findings),
    members: lapses(round),
    errors: [
      ...[...written.values()].flatMap((each) => (each instanceof MeshjoinError ? [each] : [])),
      ...[...evidence.values()].flatMap(({ error }) => error ?? []),
    ],
  });
}

/**
 * Subjects whose own half was whole a moment ago and is not now: GKE resizes the API server, a pod moves.
 * Only their own event would bring a run back to them.
 */
function lapses({ mesh, context, subjects, standings }: Round): MemberReport[] {
  const lapsed = [...subjects].filter((id) => standings.get(id) !== "complete");
  return lapsed.map((clusterId) => {
    const members = mesh.members.filter((member) => member.clusterId === clusterId);
    const [plan] = planMembers(mesh, context, members);
    const findings = plan === undefined || plan.findings.length === 0 ? [lapse(clusterId)] : plan.findings;
    return { clusterId, outcome: "waiting", findings, hasLapsed: true };
  });
}

function lapse(id: string): Finding {
  return finding("RunInterrupted", `${id} is no longer whole`, "nothing: Meshjoin tries again", id);
}

export async function connectAll(
  run: Run,
  plans: readonly PairPlan[],
  members: readonly Member[],
): Promise<WrittenPairs> {
  const byId = new Map(members.filter(isReachable).map((member) => [member.clusterId, member]));
  const connect: Attempt = async (action) => {
    const reader = byId.get(action.clusterId);
    const target = byId.get(action.target);
    if (reader === undefined || target === undefined) return false;
    return await run.inTurn(() => connectOne(run, { reader, target }, action));
  };
  return await attemptAll(plans, connect, run.signal);
}

/** Carries an action out; answers whether the pair was written, or the error. */
export type Attempt = (action: Connect) => Promise<boolean | MeshjoinError>;

/** Attempts urgent actions at once; of the others each reader gets a few, one after the other. */
export async function attemptAll(
  plans: readonly PairPlan[],
  attempt: Attempt,
  signal: AbortSignal,
): Promise<WrittenPairs> {
  const written = new Map<string, boolean | MeshjoinError>();
  const connect: Connecting = async (plan, isHurried) => {
    if (plan.action === undefined) return false;
    const result = await attempt(isHurried ? { ...plan.action, urgency: "ending" } : plan.action);
    written.set(keyOf(plan), result);
    return result;
  };
  const turns = [...turnsOf(plans).values()];
  const deferred = new Set(turns.flatMap((each) => each.plans));
  await Promise.all([
    ...plans.filter((plan) => !deferred.has(plan)).map((plan) => connect(plan, false)),
    ...turns.map((each) => renewInOrder(each, connect, signal)),
  ]);
  return written;
}

type Connecting = (plan: PairPlan, isHurried: boolean) => Promise<boolean | MeshjoinError>;

/**
 * Goes on until as many renewals as there are turns have succeeded, so a target that refuses delays no other.
 * The second does not wait until istiod has finished the first. A fault of the reader itself ends its turns.
 */
async function renewInOrder({ plans, few }: Turns, connect: Connecting, signal: AbortSignal): Promise<void> {
  let succeeded = 0;
  for (const plan of plans) {
    if (succeeded >= few || signal.aborted) return;
    const result = await connect(plan, succeeded > 0);
    if (!(result instanceof MeshjoinError)) succeeded += 1;
    else if (isOfReader(result, plan)) return;
  }
}

/** Whether the reader is at fault: its istiod is still syncing, or it cannot be reached. */
function isOfReader(error: MeshjoinError, { reader }: PairPlan): boolean {
  return error.code === "PairSyncing" || (isOutOfReach(error) && error.fields["clusterId"] === reader);
}

async function connectOne(run: Run, pair: Pair, action: Connect): Promise<boolean | MeshjoinError> {
  try {
    const wrote = await connectPair(run.ports, run.spec, pair, action, run.signal);
    const outcome = wrote ? outcomeOf(action) : "unchanged";
    run.progress({ step: "connect", clusterId: action.clusterId, target: action.target, outcome });
    return wrote;
  } catch (error) {
    return asMeshjoinError(error, action.clusterId, `its remote secret for ${action.target} was written`);
  }
}

/** Asks every reader at the same time, for all its targets at once: waiting for one hides no other. */
async function verifyAll(
  run: Run,
  { mesh: { members }, subjects, plans }: Round,
  written: WrittenPairs,
): Promise<ReadonlyMap<string, Evidence>> {
  const limit = within(run.signal, WAIT_MS);
  const afar = networksAfar(members);
  const expected = Map.groupBy(
    plans.filter((plan) => isWritten(plan, written)),
    ({ reader }) => reader,
  );
  const expectations = members.filter(isReachable).flatMap((member): Expectation[] => {
    if (member.state.pods.length === 0) return [];
    const targets = (expected.get(member.clusterId) ?? []).map(({ target }) => target);
    const intermediate = subjects.has(member.clusterId) ? unseenIntermediate(member) : undefined;
    if (targets.length === 0 && intermediate === undefined) return [];
    const networks = new Map(
      targets.flatMap((id) => {
        const awaited = afar(member, id);
        return awaited === undefined ? [] : [[id, awaited] as const];
      }),
    );
    return [{ member, targets, networks, intermediate }];
  });
  const evidence = await Promise.all(
    expectations.map((expectation) => verifyMember(run.ports, expectation, limit)),
  );
  return new Map(evidence.map((each) => [each.clusterId, each]));
}

/** Its fingerprint, until a run has noted that the istiods serve it. */
function unseenIntermediate({ state: { cacerts } }: ReachableMember): string | undefined {
  return cacerts?.owner === "ours" && cacerts.loadedAt === undefined ? cacerts.fingerprint : undefined;
}

/** Whether the pair has a token that works; one whose renewal has not had its turn still has. */
function isWritten(plan: PairPlan, written: WrittenPairs): boolean {
  if (plan.standing !== "connect") return plan.standing === "current";
  const result = written.get(keyOf(plan));
  return typeof result === "boolean" || (result === undefined && plan.action?.urgency !== "needed");
}

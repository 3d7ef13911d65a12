import { connectPair } from "../apply/connect.ts";
import { within } from "../async/within.ts";
import { type Finding, finding } from "../core/finding.ts";
import { isReachable, type Member, type ReachableMember } from "../core/observation.ts";
import { outcomeOf } from "../core/outcome.ts";
import { asMeshjoinError, MeshjoinError } from "../errors.ts";
import { type Evidence, type Expectation, verifyMember } from "../look/istiods.ts";
import type { Standing } from "../plan/member.ts";
import { type PlanContext, planMembers, type SeenMesh, standingsOf } from "../plan/mesh.ts";
import { type PairPlan, planPairs } from "../plan/pair.ts";
import { planContext } from "../plan-context.ts";
import { type MemberReport, merge, type Report } from "../report.ts";
import type { Run } from "../run.ts";
import { type Phase, wholeSubjects } from "./course.ts";
import { judgePair, keyOf, type Written } from "./judge-pair.ts";
import { noteLoaded } from "./note-loaded.ts";
import { WAIT_MS } from "./own-halves.ts";

/** Round two of design rule 2: every pair of a subject whose own half is whole, until istiod itself says that it is synced. */
export const pairs: Phase = async (run, course) =>
  await exchange(run, course.mesh, wholeSubjects(course), planContext(run, course.request));

/** The pairs that the subjects take part in: planned, written, and seen by the readers' istiods. */
async function exchange(
  run: Run,
  mesh: SeenMesh,
  subjects: ReadonlySet<string>,
  context: PlanContext,
): Promise<Partial<Report>> {
  if (subjects.size === 0) return {};
  const round = roundOf(mesh, subjects, context);
  return await verify(run, round, await connectAll(run, round.plans, mesh.members));
}

/** The same pairs seen once more by the readers' istiods; nothing of them is written. */
export async function verifyPairs(
  run: Run,
  mesh: SeenMesh,
  subjects: ReadonlySet<string>,
  context: PlanContext,
): Promise<Partial<Report>> {
  if (subjects.size === 0) return {};
  const round = roundOf(mesh, subjects, context);
  return await verify(run, round, new Map(round.plans.map((plan) => [keyOf(plan), false])));
}

interface Round {
  readonly mesh: SeenMesh;
  readonly subjects: ReadonlySet<string>;
  readonly context: PlanContext;
  readonly standings: ReadonlyMap<string, Standing>;
  readonly plans: readonly PairPlan[];
}

function roundOf(mesh: SeenMesh, subjects: ReadonlySet<string>, context: PlanContext): Round {
  const standings = standingsOf(mesh, context);
  return {
    mesh,
    subjects,
    context,
    standings,
    plans: planPairs(mesh.members, subjects, { ...context, standings }),
  };
}

async function verify(run: Run, round: Round, written: Written): Promise<Partial<Report>> {
  const { mesh, subjects, plans } = round;
  const evidence = await verifyAll(run, round, written);
  const judged = plans.map((plan) => judgePair(plan, { subjects, written, evidence }));
  for (const { synced, pair } of judged) {
    if (synced !== true) continue;
    const { reader, target, outcome } = pair;
    run.progress({ step: "pairSynced", clusterId: reader, target, outcome });
  }
  const own = mesh.members.filter(({ clusterId }) => subjects.has(clusterId)).filter(isReachable);
  return merge(await noteLoaded(run, own, evidence), {
    pairs: judged.map(({ pair }) => pair),
    findings: judged.flatMap(({ findings }) => findings),
    members: lapses(round),
    errors: [
      ...[...written.values()].flatMap((each) => (each instanceof MeshjoinError ? [each] : [])),
      ...[...evidence.values()].flatMap(({ error }) => error ?? []),
    ],
  });
}

/**
 * Subjects whose own half was whole a moment ago and is not now: a control plane that is resized, a pod that moves. Their own event
 * alone would look for them again.
 */
function lapses({ mesh, context, subjects, standings }: Round): MemberReport[] {
  const lapsed = [...subjects].filter((id) => standings.get(id) !== "complete");
  return lapsed.map((clusterId) => {
    const members = mesh.members.filter((member) => member.clusterId === clusterId);
    const [plan] = planMembers({ ...mesh, members }, context);
    const findings = plan === undefined || plan.findings.length === 0 ? [lapse(clusterId)] : plan.findings;
    return { clusterId, outcome: "waiting", findings, hasLapsed: true };
  });
}

function lapse(id: string): Finding {
  return finding("RunInterrupted", `${id} was whole and is not any more`, "nothing: it is tried again", id);
}

async function connectAll(
  run: Run,
  plans: readonly PairPlan[],
  members: readonly Member[],
): Promise<Written> {
  const byId = new Map(members.filter(isReachable).map((member) => [member.clusterId, member]));
  const entries = plans.flatMap((plan) => {
    const { action } = plan;
    const reader = byId.get(plan.reader);
    const target = byId.get(plan.target);
    if (action === undefined || reader === undefined || target === undefined) return [];
    return [
      run.inTurn(async (): Promise<[string, boolean | MeshjoinError]> => {
        try {
          const wrote = await connectPair(run.ports, run.spec, { reader, target }, action, run.signal);
          const outcome = wrote ? outcomeOf(action) : "unchanged";
          run.progress({ step: "connect", clusterId: plan.reader, target: plan.target, outcome });
          return [keyOf(plan), wrote];
        } catch (error) {
          return [
            keyOf(plan),
            asMeshjoinError(error, plan.reader, `its remote secret for ${plan.target} was written`),
          ];
        }
      }),
    ];
  });
  return new Map(await Promise.all(entries));
}

/** Every reader is asked, at the same time, for all its targets at once; one that is waited for hides no other. */
async function verifyAll(
  run: Run,
  { mesh: { members }, subjects, plans }: Round,
  written: Written,
): Promise<ReadonlyMap<string, Evidence>> {
  const limit = within(run.signal, WAIT_MS);
  const expected = Map.groupBy(
    plans.filter((plan) => isWritten(plan, written)),
    ({ reader }) => reader,
  );
  const expectations = members.filter(isReachable).flatMap((member): Expectation[] => {
    if (member.state.pods.length === 0) return [];
    const targets = (expected.get(member.clusterId) ?? []).map(({ target }) => target);
    const intermediate = subjects.has(member.clusterId) ? unseenIntermediate(member) : undefined;
    return targets.length === 0 && intermediate === undefined ? [] : [{ member, targets, intermediate }];
  });
  const evidence = await Promise.all(
    expectations.map((expectation) => verifyMember(run.ports, expectation, limit)),
  );
  return new Map(evidence.map((each) => [each.clusterId, each]));
}

/** Its fingerprint, as long as nobody has seen the istiods serve it. */
function unseenIntermediate({ state: { cacerts } }: ReachableMember): string | undefined {
  return cacerts?.owner === "ours" && cacerts.loadedAt === undefined ? cacerts.fingerprint : undefined;
}

function isWritten(plan: PairPlan, written: Written): boolean {
  if (plan.standing === "current") return true;
  return plan.standing === "connect" && typeof written.get(keyOf(plan)) === "boolean";
}

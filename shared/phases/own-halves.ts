import pLimit from "p-limit";
import { applyMember, awaitIstiod, type Run } from "../apply.ts";
import { within } from "../async/within.ts";
import type { Cluster } from "../core/cluster.ts";
import { faultFinding } from "../core/error-finding.ts";
import type { Finding } from "../core/finding.ts";
import { clusterId } from "../core/names.ts";
import type { Member } from "../core/observation.ts";
import { type Outcome, outcomeOf, outcomeOfFailure, worst } from "../core/outcome.ts";
import { MeshjoinError } from "../errors.ts";
import { manifestHash } from "../istio/control-plane.ts";
import { manifestValues } from "../istio/template.ts";
import { observeMember } from "../look/member.ts";
import type { ApplyControlPlane, IssueIntermediate } from "../plan/action.ts";
import type { MemberContext } from "../plan/checks.ts";
import { type MemberPlan, planMember } from "../plan/member.ts";

/** Members that are worked on at the same time. */
export const MEMBER_CONCURRENCY = 8;
/** Waiting is redelivery: longer than this, and the event comes again (design rule 10). */
export const WAIT_MS = 60_000;

/** What members are judged by, beside themselves. */
export type Judging = Pick<MemberContext, "roots" | "collisions" | "confirm" | "rotateBefore">;

export interface MembersInput extends Judging {
  readonly subjects: readonly Cluster[];
  /** Subjects that were seen already, by cluster ID. */
  readonly observed: ReadonlyMap<string, Member>;
}

export interface MemberResult {
  readonly clusterId: string;
  readonly cluster: Cluster;
  readonly outcome: Outcome;
  readonly wrote: boolean;
  readonly findings: readonly Finding[];
  /** What waits for its turn. */
  readonly renewal?: IssueIntermediate;
  readonly rollOut?: ApplyControlPlane;
  readonly error?: MeshjoinError;
}

/** Round one: every subject's own half. It settles per member; one that fails stops no other. */
export async function reconcileMembers(run: Run, input: MembersInput): Promise<MemberResult[]> {
  const limit = pLimit(MEMBER_CONCURRENCY);
  return await Promise.all(
    input.subjects.map((cluster) => limit(() => reconcileMember(run, cluster, input))),
  );
}

async function reconcileMember(run: Run, cluster: Cluster, input: MembersInput): Promise<MemberResult> {
  const { ports, spec, signal } = run;
  const id = clusterId(cluster.ref);
  let progress: Progressed = { findings: [], wrote: false, outcomes: [], due: {} };
  try {
    const member = input.observed.get(id) ?? (await observeMember(ports, spec, cluster, "subject", signal));
    const plan = planMember(member, contextOf(run, member, input));
    progress = { ...progress, findings: plan.findings, due: dueOf(plan) };
    if (plan.standing === "blocked") return result(cluster, progress, blockedOutcome(member, plan.findings));
    const wrote = await applyMember(run, member, plan.actions);
    progress = { ...progress, wrote, outcomes: wrote ? plan.actions.map(outcomeOf) : [] };
    if (plan.standing === "complete") return result(cluster, progress, "unchanged");
    if (await awaitReady(run, member)) return result(cluster, progress, "unchanged");
    const late = await observeMember(ports, spec, cluster, "subject", signal);
    const { findings } = planMember(late, contextOf(run, late, input));
    return result(cluster, { ...progress, findings }, "waiting");
  } catch (error) {
    if (!(error instanceof MeshjoinError)) throw error;
    const fault = { ...progress, findings: [...progress.findings, faultFinding(error, id)] };
    return { ...result(cluster, fault, outcomeOfFailure(error)), error };
  }
}

interface Progressed {
  readonly findings: readonly Finding[];
  readonly wrote: boolean;
  readonly outcomes: readonly Outcome[];
  readonly due: Pick<MemberResult, "renewal" | "rollOut">;
}

function dueOf({ renewal, rollOut }: MemberPlan): Progressed["due"] {
  return { ...(renewal === undefined ? {} : { renewal }), ...(rollOut === undefined ? {} : { rollOut }) };
}

function result(cluster: Cluster, progress: Progressed, last: Outcome): MemberResult {
  return {
    clusterId: clusterId(cluster.ref),
    cluster,
    outcome: worst([...progress.outcomes, last]),
    wrote: progress.wrote,
    findings: progress.findings,
    ...progress.due,
  };
}

export async function awaitReady(run: Run, member: Member): Promise<boolean> {
  const limit = within(run.signal, WAIT_MS);
  const ready = await awaitIstiod(run, member, limit);
  run.report({ step: "istiodReady", clusterId: member.clusterId, outcome: ready ? "created" : "waiting" });
  return ready;
}

/** Time brings an API server back, and ends a deletion; everything else that blocks a member waits for a person. */
function blockedOutcome({ state }: Member, findings: readonly Finding[]): Outcome {
  if (!state.reachable) return outcomeOfFailure(state);
  return findings.some(({ severity }) => severity === "error") ? "failed" : "waiting";
}

/** Several members at once; one that cannot be reached is a value among the others. */
export async function observeMembers(
  { ports, spec, signal }: Run,
  clusters: readonly Cluster[],
  depth: "subject" | "peer",
): Promise<Member[]> {
  const limit = pLimit(MEMBER_CONCURRENCY * 2);
  return await Promise.all(
    clusters.map((cluster) => limit(() => observeMember(ports, spec, cluster, depth, signal))),
  );
}

/** What a member is judged by. */
export function contextOf(
  { spec, template, ports }: Run,
  member: Member,
  { roots, collisions, confirm, rotateBefore }: Judging,
): MemberContext {
  const hash = manifestHash(template, manifestValues(template, spec, member));
  const desired = { manifestHash: hash, istioVersion: template.tag };
  const now = ports.clock.now();
  return { spec, roots, desired, collisions, confirm, rotateBefore, now };
}

import { applyMember, awaitIstiod } from "../apply/member.ts";
import { within } from "../async/within.ts";
import type { Finding } from "../core/answers/finding.ts";
import { type Outcome, outcomeOf, worst } from "../core/answers/outcome.ts";
import { ALARM_AFTER_MS, certificatesEnd } from "../core/member/istiod-away.ts";
import { isReachable, type Member } from "../core/member/observation.ts";
import { observeAgain } from "../look/member.ts";
import type { MemberPlan } from "../plan/member.ts";
import { planMembers } from "../plan/mesh.ts";
import { planContext } from "../plan-context.ts";
import { type MemberFault, type MemberReport, merge, type Report, settle } from "../report.ts";
import type { Run } from "../run.ts";
import type { Course, Phase } from "./course.ts";

/** After this wait the event comes again: waiting is redelivery (design rule 10). */
export const WAIT_MS = 60_000;

/**
 * Round one of design rule 2: namespace, `cacerts`, istiod and reader account of each subject. Meshjoin works
 * on all in turn, then waits for all together: any number of istiods that are not ready cost one wait.
 */
export const ownHalves: Phase = async (run, course) => {
  const { mesh, plan } = course;
  const halves = mesh.members.flatMap((member, index) => {
    const own = plan.members[index];
    return own !== undefined && mesh.subjects.has(member.clusterId) ? [{ member, plan: own }] : [];
  });
  const applied = await Promise.all(halves.map((half) => run.inTurn(() => apply(run, half))));
  const limit = within(run.signal, WAIT_MS);
  return merge(...(await Promise.all(applied.map((half) => finish(run, course, half, limit)))));
};

interface Half {
  readonly member: Member;
  readonly plan: MemberPlan;
}

interface Applied extends Half {
  readonly wrote: boolean;
  readonly fault?: MemberFault;
}

async function apply(run: Run, { member, plan }: Half): Promise<Applied> {
  if (plan.standing === "blocked") return { member, plan, wrote: false };
  let wrote = false;
  return await settle(
    member.clusterId,
    "its own half was applied",
    async (): Promise<Applied> => {
      wrote = await applyMember(run, member, plan.actions);
      return { member, plan, wrote };
    },
    (fault): Applied => ({ member, plan, wrote, fault }),
  );
}

async function finish(run: Run, course: Course, half: Applied, limit: AbortSignal): Promise<Partial<Report>> {
  const { member, plan, wrote, fault } = half;
  if (fault !== undefined) return faulty(run, half, fault);
  if (plan.standing === "blocked") {
    const needsPerson = plan.waitsFor === "person";
    const report = reportOf(half, needsPerson ? "failed" : "waiting", plan.findings);
    return { members: [{ ...report, isBlocked: member.state.reachable && needsPerson }] };
  }
  const outcome = worst(wrote ? plan.actions.map(outcomeOf) : []);
  const finished = { members: [reportOf(half, outcome, plan.findings)] };
  if (plan.standing === "complete") return finished;
  if (isScaledToZero(member))
    return { members: [{ ...reportOf(half, "failed", plan.findings), isBlocked: true }] };
  return await settle(
    member.clusterId,
    "its istiod was waited for",
    async (): Promise<Partial<Report>> => {
      const isReady = !waitsForManifest(half) && (await awaitReady(run, member, limit));
      if (isReady) return finished;
      return { members: [reportOf(half, "waiting", await findingsNow(run, course, member))] };
    },
    (late) => faulty(run, half, late),
  );
}

/** Waiting does not help an istiod whose manifest is about to be replaced. */
function waitsForManifest({ member: { state }, plan }: Half): boolean {
  return plan.rollOut !== undefined && state.reachable && state.controlPlane?.rolledOut === false;
}

/** No pod of istiod is wanted, so a person must act before waiting helps. */
function isScaledToZero({ state }: Member): boolean {
  return state.reachable && state.controlPlane?.isScaledToZero === true;
}

function reportOf({ member, wrote }: Applied, outcome: Outcome, findings: readonly Finding[]): MemberReport {
  return { clusterId: member.clusterId, outcome, findings, wrote };
}

function faulty(run: Run, half: Applied, { outcome, finding, error }: MemberFault): Partial<Report> {
  const away = stillWithoutIstiod(run, half, finding);
  const findings = [...half.plan.findings, finding];
  return {
    members: [reportOf(half, outcome, away === undefined ? findings : [...findings, away])],
    errors: [error],
  };
}

/** An istiod that has served, is gone, and could not be installed anew by the runs before this one either. */
function stillWithoutIstiod({ ports }: Run, { member }: Half, { reason }: Finding): Finding | undefined {
  if (!isReachable(member) || member.state.controlPlane !== undefined) return undefined;
  const now = ports.clock.now();
  const noted = member.state.record?.troubles.find((trouble) => trouble.reason === reason)?.since;
  const lasts = noted !== undefined && now.getTime() - new Date(noted).getTime() >= ALARM_AFTER_MS;
  return lasts ? certificatesEnd(member, now) : undefined;
}

async function findingsNow(run: Run, { request, mesh }: Course, member: Member): Promise<readonly Finding[]> {
  const now = await run.inTurn(() => observeAgain(run, member));
  const [plan] = planMembers(mesh, planContext(run, request), [now]);
  return plan?.findings ?? [];
}

/** Whether its istiod is rolled out before the limit. */
export async function awaitReady(run: Run, member: Member, limit: AbortSignal): Promise<boolean> {
  const ready = await awaitIstiod(run, member, limit);
  run.progress({ step: "istiodReady", clusterId: member.clusterId, outcome: ready ? "created" : "waiting" });
  return ready;
}

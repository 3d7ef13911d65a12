import pLimit from "p-limit";
import { isReachable, type ReachableMember } from "../core/member/observation.ts";
import { observeAgain } from "../look/member.ts";
import { outdatedProxies } from "../look/outdated-proxies.ts";
import { merge, type Report, settle } from "../report.ts";
import type { Run } from "../run.ts";
import { type Course, type Phase, wholeSubjects } from "./course.ts";

/** The answers of a large member are some 20 MB. */
const MEMBERS_AT_ONCE = 2;

/** Counts the proxies that are behind their istiod, in deep runs. Nothing waits for them. */
export const countProxies: Phase = async (run, course) => {
  if (course.request.deep !== true) return {};
  const limit = pLimit(MEMBERS_AT_ONCE);
  const reports = wholeMembers(course).map((member) => limit(() => count(run, member)));
  return merge(...(await Promise.all(reports)));
};

function wholeMembers(course: Course): ReachableMember[] {
  const whole = wholeSubjects(course);
  return course.mesh.members.filter(isReachable).filter(({ clusterId }) => whole.has(clusterId));
}

async function count(run: Run, member: ReachableMember): Promise<Partial<Report>> {
  return await settle(
    member.clusterId,
    "its proxies were counted",
    () =>
      run.inTurn(async (): Promise<Partial<Report>> => {
        // A phase before this one may have given it other istiod pods.
        const now = await observeAgain(run, member);
        const found = isReachable(now) ? await outdatedProxies(run, now) : undefined;
        return { findings: [found ?? []].flat() };
      }),
    ({ outcome, finding, error }): Partial<Report> => ({
      members: [{ clusterId: member.clusterId, outcome, findings: [] }],
      findings: [finding],
      errors: [error],
    }),
  );
}

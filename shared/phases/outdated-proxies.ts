import { isReachable, type ReachableMember } from "../core/member/observation.ts";
import { observeAgain } from "../look/member.ts";
import { outdatedProxies } from "../look/outdated-proxies.ts";
import { merge, type Report, settle } from "../report.ts";
import type { Run } from "../run.ts";
import { type Course, type Phase, wholeSubjects } from "./course.ts";

/** Counts the proxies that are behind their istiod, in deep runs. Nothing waits for them. */
export const countProxies: Phase = async (run, course) => {
  if (course.request.deep !== true) return {};
  return merge(...(await Promise.all(wholeMembers(course).map((member) => count(run, member)))));
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

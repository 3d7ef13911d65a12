import { isReachable, type Member, type ProbeMark } from "../core/member/observation.ts";
import { isOver, removeUnwanted } from "../probe/end.ts";
import { merge, type Report, settle } from "../report.ts";
import type { Run } from "../run.ts";
import type { Phase } from "./course.ts";

/**
 * Takes the probes away that a check has left which was killed, once the time is over for which it wanted
 * them. A look sees the marks beside the other Secrets, so a run that finds none asks for nothing.
 */
export const probes: Phase = async (run, { mesh, request }) => {
  if (mesh.isPartial || request.scope !== "mesh") return {};
  // A check may have begun on a machine whose clock is behind.
  const past = new Date(run.ports.clock.now().getTime() - run.spec.clockSkew * 1000);
  const isLeft = (marks: readonly ProbeMark[]) =>
    marks.length > 0 && marks.every((mark) => isOver(mark, past));
  const owners = [...mesh.members, ...mesh.leavers].filter(
    (member) => isReachable(member) && isLeft(member.state.probeMarks ?? []),
  );
  return merge(...(await Promise.all(owners.map((owner) => remove(run, owner, past)))));
};

async function remove(run: Run, { clusterId, cluster }: Member, past: Date): Promise<Partial<Report>> {
  const { spec, signal } = run;
  return await settle<Partial<Report>>(
    clusterId,
    "a probe that nobody wants was deleted",
    () =>
      run.inTurn(async () => {
        const isGone = await removeUnwanted(run.ports.fleet.member(cluster), spec.meshId, past, signal);
        if (isGone) run.progress({ step: "removeProbe", clusterId, outcome: "deleted" });
        return {};
      }),
    ({ finding, error }) => ({ findings: [finding], errors: [error] }),
  );
}

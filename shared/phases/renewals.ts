import { type Finding, finding } from "../core/answers/finding.ts";
import type { Outcome } from "../core/answers/outcome.ts";
import type { MeshjoinError } from "../errors.ts";
import type { IssueIntermediate } from "../plan/action.ts";
import type { Course, Phase } from "./course.ts";
import { BEGIN_WITHIN_MS, type TurnFault, takeTurns } from "./turn.ts";

/**
 * Another intermediate for every subject that is due, a share of the members at a time, and none after one that does not come out
 * whole. Those that have lapsed, because they do not serve the intermediate that they have, count as such from the start, so that no
 * later run goes on over them; only what is about to expire is renewed all the same.
 */
export const renewals: Phase = async (run, course) => {
  const { mesh, request } = course;
  if (request.rollOut !== true) return {};
  const { atOnce = false } = request;
  const lapsed = course.report.members.flatMap(({ clusterId, hasLapsed }) => (hasLapsed ? [clusterId] : []));
  const due = dueOf(course);
  const begun = lapsed.length === 0 || atOnce ? due : due.filter(isUrgent);
  const size = atOnce
    ? due.length
    : Math.max(1, Math.floor(run.spec.rotationShare * mesh.listing.members.length));
  const started = performance.now();
  const outcomes = new Map<string, Outcome>();
  const faults: TurnFault[] = [];
  const findings: Finding[] = [];
  const errors: MeshjoinError[] = [];
  let { members } = mesh;
  let left = begun;
  while (left.length > 0) {
    if (run.signal.aborted || performance.now() - started > BEGIN_WITHIN_MS) break;
    const batch = left.slice(0, size);
    // oxlint-disable-next-line no-await-in-loop -- the next batch only when this one has come out whole
    const taken = await takeTurns(run, course, members, batch);
    ({ members } = taken);
    for (const { clusterId } of batch) outcomes.set(clusterId, "updated");
    for (const { clusterId, outcome } of taken.faults) outcomes.set(clusterId, outcome);
    faults.push(...taken.faults);
    findings.push(...taken.findings);
    errors.push(...taken.errors);
    left = left.slice(size).filter((each) => faults.length === 0 || isUrgent(each));
  }
  const kept = due.length - outcomes.size;
  const isStopped = faults.some(({ outcome }) => outcome === "failed");
  return {
    mesh: { ...mesh, members },
    members: [...outcomes].map(([clusterId, outcome]) => ({ clusterId, outcome, findings: [] })),
    findings: [
      ...(kept > 0 && begun.length < due.length ? [held(kept, lapsed)] : []),
      ...(kept > 0 && isStopped ? [stopped(faults, kept)] : []),
      ...findings,
    ],
    errors,
    isCutShort: left.length > 0 || (faults.length > 0 && !isStopped),
  };
};

function dueOf({ mesh, plan }: Course): IssueIntermediate[] {
  return plan.members.flatMap(({ clusterId, renewal }) =>
    mesh.subjects.has(clusterId) ? (renewal ?? []) : [],
  );
}

const isUrgent = (renewal: IssueIntermediate) => renewal.isUrgent;

function held(count: number, lapsed: readonly string[]): Finding {
  return finding(
    "RotationHeld",
    `${count} members wait for another intermediate until ${lapsed.join(", ")} serves the one that was written for it`,
    "see what the finding of that member says; the next full run goes on",
  );
}

function stopped(faults: readonly TurnFault[], left: number): Finding {
  const names = faults.map(({ clusterId }) => clusterId).join(", ");
  return finding(
    "RotationStopped",
    `the rotation of intermediates stopped at ${names}; ${left} members keep theirs for now`,
    "mend what its findings name; the next full run goes on",
  );
}

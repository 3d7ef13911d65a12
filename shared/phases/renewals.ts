import { type Finding, finding } from "../core/answers/finding.ts";
import type { Outcome } from "../core/answers/outcome.ts";
import type { MeshjoinError } from "../errors.ts";
import type { IssueIntermediate } from "../plan/action.ts";
import type { Course, Phase } from "./course.ts";
import { BEGIN_WITHIN_MS, type TurnFault, takeTurns } from "./turn.ts";

/**
 * Replaces the intermediate of every subject that is due, a share of the members at a time, and stops after a
 * member that does not come out whole. A member has lapsed if it does not serve the intermediate that it has.
 * It stops the renewals from the start, so that no later run goes on over it; only an intermediate that is
 * about to expire is renewed all the same.
 */
export const renewals: Phase = async (run, course) => {
  const { mesh, request } = course;
  if (request.rollOut !== true) return {};
  const { atOnce = false } = request;
  const lapsed = course.report.members.flatMap(({ clusterId, hasLapsed }) => (hasLapsed ? [clusterId] : []));
  const due = dueOf(course);
  const eligible = lapsed.length === 0 || atOnce ? due : due.filter(isUrgent);
  const size = atOnce
    ? due.length
    : Math.max(1, Math.floor(run.spec.rotationShare * mesh.listing.members.length));
  const started = performance.now();
  const outcomes = new Map<string, Outcome>();
  const faults: TurnFault[] = [];
  const findings: Finding[] = [];
  const errors: MeshjoinError[] = [];
  let { members } = mesh;
  let remaining = eligible;
  while (remaining.length > 0) {
    if (run.signal.aborted || performance.now() - started > BEGIN_WITHIN_MS) break;
    const batch = remaining.slice(0, size);
    // oxlint-disable-next-line no-await-in-loop -- the next batch only when this one has come out whole
    const turns = await takeTurns(run, course, members, batch);
    ({ members } = turns);
    for (const { clusterId } of batch) outcomes.set(clusterId, "updated");
    for (const { clusterId, outcome } of turns.faults) outcomes.set(clusterId, outcome);
    faults.push(...turns.faults);
    findings.push(...turns.findings);
    errors.push(...turns.errors);
    remaining = remaining.slice(size).filter((each) => faults.length === 0 || isUrgent(each));
  }
  const waiting = due.length - outcomes.size;
  const isStopped = faults.some(({ outcome }) => outcome === "failed");
  return {
    mesh: { ...mesh, members },
    members: [...outcomes].map(([clusterId, outcome]) => ({ clusterId, outcome, findings: [] })),
    findings: [
      ...(waiting > 0 && eligible.length < due.length ? [held(waiting, lapsed)] : []),
      ...(waiting > 0 && isStopped ? [stopped(faults, waiting)] : []),
      ...findings,
    ],
    errors,
    isCutShort: remaining.length > 0 || (faults.length > 0 && !isStopped),
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
    "follow the cure of that member's finding; the next full run goes on",
  );
}

function stopped(faults: readonly TurnFault[], waiting: number): Finding {
  const names = faults.map(({ clusterId }) => clusterId).join(", ");
  return finding(
    "RotationStopped",
    `the rotation of intermediates stopped at ${names}; ${waiting} members keep theirs for now`,
    "follow the cures of its findings; the next full run goes on",
  );
}

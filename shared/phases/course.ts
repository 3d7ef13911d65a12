import { isUnfinished } from "../core/answers/outcome.ts";
import type { Member } from "../core/member/observation.ts";
import type { ReconcileRequest } from "../core/request.ts";
import type { MeshjoinError } from "../errors.ts";
import type { Mesh } from "../look/mesh.ts";
import type { FirstPlan } from "../plan/mesh.ts";
import type { RefusedNote } from "../plan/silences.ts";
import type { ProbedPair } from "../probe/ask-probes.ts";
import type { MemberReport, Report } from "../report.ts";
import type { Run } from "../run.ts";

/** The state of a run between two phases. */
export interface Course {
  readonly request: ReconcileRequest;
  /** As the last look saw it. */
  readonly mesh: Mesh;
  /** Made from the first look. */
  readonly plan: FirstPlan;
  /** Why the run came to no member but those that have left. */
  readonly fault?: MeshjoinError | undefined;
  /** What the probes that the configuration keeps told this run. */
  readonly probed?: readonly ProbedPair[] | undefined;
  /** Readers that did not take the note of a silence in this run. */
  readonly refusedNotes?: readonly RefusedNote[] | undefined;
  /** The merged results of the phases before. */
  readonly report: Report;
}

/** The additions of a phase to the course: its own report, and what it has looked at or asked anew. */
export interface PhaseResult extends Partial<Report> {
  readonly mesh?: Mesh;
  readonly probed?: readonly ProbedPair[];
  readonly refusedNotes?: readonly RefusedNote[];
}

/** A part of a run. It never throws for the trouble of one member. */
export type Phase = (run: Run, course: Course) => Promise<PhaseResult>;

/** Subjects whose own half is whole, without a renewal or a manifest that is due. */
export function currentMembers(course: Course): Member[] {
  const whole = wholeSubjects(course);
  for (const { clusterId, renewal, rollOut } of course.plan.members)
    if (renewal !== undefined || rollOut !== undefined) whole.delete(clusterId);
  return course.mesh.members.filter(({ clusterId }) => whole.has(clusterId));
}

/** Cluster IDs of the subjects whose own halves are whole, by the phases before. */
export function wholeSubjects({ mesh, report }: Pick<Course, "mesh" | "report">): Set<string> {
  const halves = report.members.filter(({ isAside }) => isAside !== true);
  const bad = new Set(halves.filter(({ outcome }) => isUnfinished(outcome)).map(idOf));
  const reported = halves.map(idOf);
  return new Set(reported.filter((id) => mesh.subjects.has(id) && !bad.has(id)));
}

const idOf = ({ clusterId }: MemberReport) => clusterId;

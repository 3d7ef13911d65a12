import { isUnfinished } from "../core/answers/outcome.ts";
import type { Member } from "../core/member/observation.ts";
import type { ReconcileRequest } from "../core/request.ts";
import type { Mesh } from "../look/mesh.ts";
import type { FirstPlan } from "../plan/mesh.ts";
import type { MemberReport, Report } from "../report.ts";
import type { Run } from "../run.ts";

/** How far a run has come. */
export interface Course {
  readonly request: ReconcileRequest;
  /** As it was seen last. */
  readonly mesh: Mesh;
  /** By the first look. */
  readonly plan: FirstPlan;
  /** What the phases before have come to. */
  readonly report: Report;
}

/** What a phase adds to the course: its own report, and the mesh where it has looked again. */
export interface PhaseResult extends Partial<Report> {
  readonly mesh?: Mesh;
}

/** A part of every run. It never throws for what is wrong with one member. */
export type Phase = (run: Run, course: Course) => Promise<PhaseResult>;

/** Subjects whose own half is whole, and for which nothing is due. */
export function currentMembers(course: Course): Member[] {
  const whole = wholeSubjects(course);
  for (const { clusterId, renewal, rollOut } of course.plan.members)
    if (renewal !== undefined || rollOut !== undefined) whole.delete(clusterId);
  return course.mesh.members.filter(({ clusterId }) => whole.has(clusterId));
}

/** Cluster IDs of the subjects whose own halves are whole, as far as the phases before have seen. */
export function wholeSubjects({ mesh, report }: Pick<Course, "mesh" | "report">): Set<string> {
  const bad = new Set(report.members.filter(({ outcome }) => isUnfinished(outcome)).map(idOf));
  const done = report.members.map(idOf);
  return new Set(done.filter((id) => mesh.subjects.has(id) && !bad.has(id)));
}

const idOf = ({ clusterId }: MemberReport) => clusterId;

import type { Summary } from "./core/answers/summary.ts";
import type { Cluster } from "./core/cluster/cluster.ts";
import type { Member } from "./core/member/observation.ts";
import { outOfReach } from "./core/member/reach.ts";
import type { ReconcileRequest } from "./core/request.ts";
import { rotationDue } from "./core/roots/due.ts";
import { noSigningRoot } from "./core/roots/signing.ts";
import { type Roots, rootsOf } from "./core/roots/stages.ts";
import { MeshjoinError, RootError } from "./errors.ts";
import { unreadableErrors } from "./look/member.ts";
import { lookAt, type Mesh } from "./look/mesh.ts";
import type { Course, Phase } from "./phases/course.ts";
import { departures } from "./phases/departures.ts";
import { drift } from "./phases/drift.ts";
import { elsewhere } from "./phases/elsewhere.ts";
import { ownHalves } from "./phases/own-halves.ts";
import { pairs } from "./phases/pairs.ts";
import { permissions } from "./phases/permissions.ts";
import { refusedPods } from "./phases/refused-pods.ts";
import { renewals } from "./phases/renewals.ts";
import { rollOut } from "./phases/roll-out.ts";
import { secondLook } from "./phases/second-look.ts";
import { planFirst } from "./plan/mesh.ts";
import { planContext } from "./plan-context.ts";
import { isRetried, merge, summaryOf } from "./report.ts";
import type { Run } from "./run.ts";

/**
 * What a run does, row by row. The phases of one row go side by side, because they write different objects. Those that look at
 * more than a join needs do so in deep runs alone.
 */
const PHASES: readonly (readonly Phase[])[] = [
  [ownHalves, departures],
  [secondLook],
  [pairs],
  [renewals],
  [rollOut],
  [drift],
  [permissions, elsewhere, refusedPods],
];

/** A summary, and what a trigger has to know to answer: whether to come again, and what to log. */
export interface Reconciled {
  readonly summary: Summary;
  /** Work is left that the same request can finish later. Unreachable peers are no reason; they have the full run. */
  readonly retry: boolean;
  /** Everything that went wrong on the way; logged once, at the edge. */
  readonly errors: readonly MeshjoinError[];
  /** Those that the run has looked at, as it saw them last. */
  readonly members: readonly Member[];
}

/**
 * Look, plan, and carry the plan out phase by phase. Throws only when nothing can be said of any member: no project answers; or the
 * run is about members and no root signs, or the names of the root secret cannot be read. `known` are clusters that were read just
 * now: a list may be a moment behind.
 */
export async function reconcile(
  run: Run,
  request: ReconcileRequest,
  known: readonly Cluster[] = [],
): Promise<Reconciled> {
  const look = await lookAt(run, request.scope, { known });
  const { roots } = look;
  const fault = whyNoRoot(run, roots);
  // What has left goes even if no root is known; everything else needs one.
  const rows = fault === undefined ? PHASES : [[departures]];
  let course = begin(run, request, { ...look, roots: roots instanceof MeshjoinError ? NO_ROOTS : roots });
  for (const row of rows) course = await through(run, course, row);
  if (fault !== undefined && !isAboutLeaver(course)) throw fault;
  const { mesh: last } = course;
  const report = merge(course.report, { errors: unreadableErrors([...last.members, ...last.leavers]) });
  const retry = isRetried(report) || run.signal.aborted;
  return { summary: summaryOf(report), retry, errors: report.errors, members: last.members };
}

/** Why nothing can be issued; undefined where a root signs. */
function whyNoRoot({ spec }: Run, roots: Roots | MeshjoinError): MeshjoinError | undefined {
  if (roots instanceof MeshjoinError) return roots;
  const unsigned = noSigningRoot(spec, roots.versions);
  if (unsigned === undefined) return undefined;
  const { message, cure, reason } = unsigned;
  return new RootError(message, { code: reason, cure });
}

const NO_ROOTS: Roots = rootsOf({ versions: {}, annotations: {} });

/** The run is about one cluster, and that is no member. */
function isAboutLeaver({ request, mesh }: Pick<Course, "request" | "mesh">): boolean {
  return request.scope !== "mesh" && mesh.subjects.size === 0;
}

/** What the first look says, and what follows from it. */
function begin(run: Run, request: ReconcileRequest, mesh: Mesh): Course {
  const { clock } = run.ports;
  const isOfMesh = request.scope === "mesh";
  const findings = [
    ...mesh.listing.findings,
    ...(isOfMesh ? [rotationDue(mesh.members, mesh.roots, run.spec, clock.now()) ?? []].flat() : []),
    // Of these it cannot be told what they hold of the leaver.
    ...(isAboutLeaver({ request, mesh }) ? mesh.members.flatMap((member) => outOfReach(member) ?? []) : []),
  ];
  const plan = planFirst(mesh, planContext(run, request));
  return { request, mesh, plan, report: merge({ findings }) };
}

async function through(run: Run, course: Course, row: readonly Phase[]): Promise<Course> {
  const results = await Promise.all(row.map((phase) => phase(run, course)));
  const seen = results.findLast((result) => result.mesh !== undefined)?.mesh;
  return { ...course, mesh: seen ?? course.mesh, report: merge(course.report, ...results) };
}

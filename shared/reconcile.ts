import type { Cluster } from "./core/cluster.ts";
import type { Finding } from "./core/finding.ts";
import type { Member } from "./core/observation.ts";
import { outOfReach } from "./core/reach.ts";
import type { ReconcileRequest } from "./core/request.ts";
import { rotationDue } from "./core/roots/due.ts";
import { noSigningRoot } from "./core/roots/signing.ts";
import { type Roots, rootsOf } from "./core/roots/stages.ts";
import type { Summary } from "./core/summary.ts";
import { MeshjoinError, RootError } from "./errors.ts";
import { type Look, lookAt, type Mesh } from "./look/mesh.ts";
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
import { planMesh } from "./plan/mesh.ts";
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
 * Look, plan, and carry the plan out phase by phase. Throws only when nothing can be said of any member: no root signs, the names of
 * the root secret cannot be read, or no project answers. `known` are clusters that were read just now: a list may be a moment behind.
 */
export async function reconcile(
  run: Run,
  request: ReconcileRequest,
  known: readonly Cluster[] = [],
): Promise<Reconciled> {
  const look = await lookAt(run, request.scope, { known });
  const { roots } = look;
  if (roots instanceof MeshjoinError) throw await withoutRoots(run, request, look, roots);
  const unsigned = noSigningRoot(run.spec, roots.versions);
  if (unsigned !== undefined) throw await withoutRoots(run, request, look, noRootSigns(unsigned));
  const mesh: Mesh = { ...look, roots };
  let course = begin(run, request, mesh);
  for (const row of PHASES) course = await through(run, course, row);
  const { report, mesh: last } = course;
  const retry = isRetried(report) || run.signal.aborted;
  return { summary: summaryOf(report), retry, errors: report.errors, members: last.members };
}

/** What the first look says, and what follows from it. */
function begin(run: Run, request: ReconcileRequest, mesh: Mesh): Course {
  const { clock } = run.ports;
  const isOfMesh = request.scope === "mesh";
  // A run about what is no member says of whom it cannot tell what they hold.
  const isAboutLeaver = !isOfMesh && mesh.subjects.size === 0;
  const findings = [
    ...mesh.listing.findings,
    ...(isOfMesh ? [rotationDue(mesh.members, mesh.roots, run.spec, clock.now()) ?? []].flat() : []),
    ...(isAboutLeaver ? mesh.members.flatMap((member) => outOfReach(member) ?? []) : []),
  ];
  const plan = planMesh(mesh, planContext(run, request), "now");
  return { request, mesh, plan, report: merge({ findings }) };
}

async function through(run: Run, course: Course, row: readonly Phase[]): Promise<Course> {
  const results = await Promise.all(row.map((phase) => phase(run, course)));
  const seen = results.findLast((result) => result.mesh !== undefined)?.mesh;
  return { ...course, mesh: seen ?? course.mesh, report: merge(course.report, ...results) };
}

/** What has left goes even if no root is known; everything else needs one. Answers the fault. */
async function withoutRoots(
  run: Run,
  request: ReconcileRequest,
  look: Look,
  fault: MeshjoinError,
): Promise<MeshjoinError> {
  const roots = NO_ROOTS;
  await departures(run, begin(run, request, { ...look, roots }));
  return fault;
}

const NO_ROOTS: Roots = rootsOf({ versions: {}, annotations: {} });

function noRootSigns({ message, cure, reason }: Finding): RootError {
  return new RootError(`${message}; ${cure}`, { code: reason });
}

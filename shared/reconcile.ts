import { distinct, type Finding } from "./core/answers/finding.ts";
import type { Summary } from "./core/answers/summary.ts";
import type { Cluster } from "./core/cluster/cluster.ts";
import type { Member } from "./core/member/observation.ts";
import { outOfReach } from "./core/member/reach.ts";
import { rootFaultOnRecord } from "./core/member/remembered.ts";
import type { ReconcileRequest } from "./core/request.ts";
import { rootEnding } from "./core/roots/due.ts";
import { noSigningRoot, rootFaults } from "./core/roots/no-signing-root.ts";
import { pauses, writesPaused } from "./core/roots/paused.ts";
import { type Roots, rootsOf } from "./core/roots/stages.ts";
import { MeshjoinError, RootError } from "./errors.ts";
import { unreadableErrors } from "./look/member.ts";
import { lookAt, type Mesh } from "./look/mesh.ts";
import { automaticDrains } from "./phases/automatic-drains.ts";
import { comingBack } from "./phases/coming-back.ts";
import type { Course, Phase } from "./phases/course.ts";
import { departures } from "./phases/departures.ts";
import { drains } from "./phases/drains.ts";
import { drift } from "./phases/drift.ts";
import { gateways } from "./phases/gateways.ts";
import { ingress } from "./phases/ingress.ts";
import { lastGateways } from "./phases/last-gateways.ts";
import { networkChanges } from "./phases/network-changes.ts";
import { returns } from "./phases/note-secrets.ts";
import { elsewhere } from "./phases/other-accounts.ts";
import { countProxies } from "./phases/outdated-proxies.ts";
import { ownHalves } from "./phases/own-halves.ts";
import { pairs } from "./phases/pairs.ts";
import { permissions } from "./phases/permissions.ts";
import { probes } from "./phases/probes.ts";
import { record } from "./phases/record.ts";
import { refusedPods } from "./phases/refused-pods.ts";
import { renewals } from "./phases/renewals.ts";
import { replacedGateways } from "./phases/replaced-gateways.ts";
import { rollOut } from "./phases/roll-out.ts";
import { secondLook } from "./phases/second-look.ts";
import { signingRoot } from "./phases/signing-root.ts";
import { silences } from "./phases/silences.ts";
import { trafficDefaults } from "./phases/traffic-defaults.ts";
import { unread } from "./phases/unread.ts";
import { planFirst } from "./plan/mesh.ts";
import { planContext } from "./plan-context.ts";
import { isRetried, merge, summaryOf } from "./report.ts";
import type { Run } from "./run.ts";

/**
 * The phases of a run, row by row. Those of one row run side by side, because they write different objects.
 * Those that look at more than a join needs do so in deep runs alone.
 */
const PHASES: readonly (readonly Phase[])[] = [
  [ownHalves, departures],
  [secondLook],
  [drains],
  [gateways],
  [pairs],
  [comingBack],
  [lastGateways],
  [replacedGateways],
  [networkChanges],
  [returns, silences],
  [trafficDefaults],
  [renewals],
  [rollOut],
  [drift],
  [permissions, elsewhere, refusedPods, countProxies, signingRoot, probes],
  [ingress, unread],
  [automaticDrains],
  [record],
];

/** A member that takes longer counts as silent while another one is drained. */
const DRAIN_TIMEOUT_MS = 5000;

/** The summary, with the facts that a trigger needs for its answer and its log. */
export interface Reconciled {
  readonly summary: Summary;
  /** The same request can finish more later. Unreachable peers do not count; a full run comes to them. */
  readonly retry: boolean;
  /** It wrote nothing, because a person has paused the functions' writes. */
  readonly pausedSince?: Date;
  /** For the log, which has each once (run-log.ts). */
  readonly errors: readonly MeshjoinError[];
  /** The members, as the run saw them last. */
  readonly members: readonly Member[];
}

/**
 * Looks, plans, and carries the plan out phase by phase. Throws only when it can tell nothing of any member:
 * no source answers; or the run is about members, and no root signs or the root secret's state cannot be
 * read. `fresh`: clusters that the caller has just read; a list may be a moment behind.
 */
export async function reconcile(
  run: Run,
  request: ReconcileRequest,
  fresh: readonly Cluster[] = [],
): Promise<Reconciled> {
  // A person may drain a member because it is dead, so nothing waits for it, nor for a root.
  const isDrain = request.drain?.state === "drained";
  const look = await lookAt(run, request.scope, {
    known: fresh,
    leaving: request.leaving ?? [],
    deep: request.deep === true,
    ...(isDrain ? { memberTimeoutMs: DRAIN_TIMEOUT_MS } : {}),
  });
  const { roots } = look;
  const paused = roots instanceof MeshjoinError ? undefined : writesPaused(roots.notes);
  const fault = whyNoRoot(run, roots);
  // Nothing tells then whether a person has paused the functions' writes.
  if (run.heedsPause && roots instanceof MeshjoinError) throw roots;
  // A departure needs no root; every other phase does.
  const rows = isDrain ? [[drains]] : fault === undefined ? PHASES : [[departures], [record]];
  const begun = begin(run, request, { ...look, roots: roots instanceof MeshjoinError ? NO_ROOTS : roots });
  let course: Course = { ...begun, fault };
  if (run.heedsPause && paused !== undefined) return untouched(run, course, paused);
  for (const row of rows) course = await runRow(run, course, row);
  if (fault !== undefined && !isAboutLeaver(course) && !isDrain) throw fault;
  const { mesh } = course;
  const report = merge(course.report, { errors: unreadableErrors([...mesh.members, ...mesh.leavers]) });
  const retry = isRetried(report) || run.signal.aborted;
  return { summary: summaryOf(report), retry, errors: report.errors, members: mesh.members };
}

/**
 * The answer of a run that may not write: what it has seen, so that alerts go on. No redelivery: the full run
 * after the pause finds what is due.
 */
function untouched({ spec }: Run, { mesh, plan, report }: Course, paused: Finding): Reconciled {
  const { members, roots } = mesh;
  const notes = plan.members.flatMap(({ findings }) => findings);
  const findings = distinct([
    paused,
    ...[noSigningRoot(spec, roots.versions) ?? []].flat(),
    ...rootFaults(mesh.unusableRoot, rootFaultOnRecord(members)),
    ...report.findings,
    ...plan.departures.findings,
    ...notes,
  ]);
  return {
    summary: { outcome: "waiting", members: [], pairs: [], findings },
    retry: false,
    ...(roots.notes.writesPaused === undefined ? {} : { pausedSince: roots.notes.writesPaused }),
    errors: [],
    members,
  };
}

/** Why Meshjoin cannot issue; undefined where a root signs. */
function whyNoRoot({ spec }: Run, roots: Roots | MeshjoinError): MeshjoinError | undefined {
  if (roots instanceof MeshjoinError) return roots;
  const unsigned = noSigningRoot(spec, roots.versions);
  if (unsigned === undefined) return undefined;
  const { message, cure, reason } = unsigned;
  return new RootError(message, { code: reason, cure });
}

const NO_ROOTS: Roots = rootsOf({ versions: {}, annotations: {} });

/** Whether the run is about one cluster that is no member. */
function isAboutLeaver({ request, mesh }: Pick<Course, "request" | "mesh">): boolean {
  return request.scope !== "mesh" && mesh.subjects.size === 0;
}

/** The course after the first look and its plan. */
function begin(run: Run, request: ReconcileRequest, mesh: Mesh): Course {
  const { clock } = run.ports;
  const isOfMesh = request.scope === "mesh";
  const findings = [
    ...mesh.listing.findings,
    ...[mesh.unusableRoot ?? []].flat(),
    ...(isOfMesh ? pauses(mesh.roots) : []),
    ...(isOfMesh ? [rootEnding(mesh.members, mesh.roots, run.spec, clock.now()) ?? []].flat() : []),
    // These may hold credentials of the leaver that Meshjoin cannot see.
    ...(isAboutLeaver({ request, mesh }) ? mesh.members.flatMap((member) => outOfReach(member) ?? []) : []),
  ];
  const plan = planFirst(mesh, planContext(run, request));
  return { request, mesh, plan, report: merge({ findings }) };
}

async function runRow(run: Run, course: Course, row: readonly Phase[]): Promise<Course> {
  const results = await Promise.all(row.map((phase) => phase(run, course)));
  const newest = results.findLast((result) => result.mesh !== undefined)?.mesh;
  const probed = results.findLast((result) => result.probed !== undefined)?.probed ?? course.probed;
  const refusedNotes = results.findLast((result) => result.refusedNotes)?.refusedNotes ?? course.refusedNotes;
  const report = merge(course.report, ...results);
  return { ...course, mesh: newest ?? course.mesh, probed, refusedNotes, report };
}

import { changeRecord } from "../apply/record.ts";
import { distinct, type Finding } from "../core/answers/finding.ts";
import { isUnfinished, type Outcome, outcomeOfFailure, worst } from "../core/answers/outcome.ts";
import type { LeftStatus } from "../core/answers/status.ts";
import { count } from "../core/count.ts";
import { isReachable, type ReachableMember } from "../core/member/observation.ts";
import { silentIn } from "../core/member/reach.ts";
import {
  EMPTY_RECORD,
  type LeftCluster,
  type MemberRecord,
  nextRecord,
  type RunResult,
  withLeft,
  withRootFault,
  withRun,
} from "../core/member/record.ts";
import type { RootVersions } from "../core/roots/state.ts";
import { ConflictError } from "../errors.ts";
import { merge, NOTHING, outcomeOfRun, type Report, settle } from "../report.ts";
import type { Run } from "../run.ts";
import { VERSION } from "../version.ts";
import type { Course, Phase } from "./course.ts";
import { unpairedOf } from "./unpaired.ts";

/**
 * Writes down what a later look could not see: why work was left undone, what was done, which clusters have
 * left, and that the functions run. The first reachable member keeps the notes of the functions' runs. A run
 * that has nothing new to say writes nothing.
 */
export const record: Phase = async (run, course) => {
  const own = keepers(course);
  const [first] = own.map(({ clusterId }) => clusterId).toSorted();
  const unpaired = unpairedOf(run, course);
  const results = await Promise.all(
    own.map((member) =>
      note(run, course, member, {
        ...resultFor(run, course, member.clusterId, member.clusterId === first),
        unpaired: unpaired?.(member),
      }),
    ),
  );
  return merge(...results);
};

/**
 * Writes down which clusters are about to lose their credentials: a run that dies in between leaves nothing
 * else that tells of them.
 */
export async function noteLeft(
  run: Run,
  course: Course,
  left: readonly LeftStatus[],
): Promise<Partial<Report>> {
  if (left.length === 0) return NOTHING;
  const members = new Set(course.mesh.members.map(({ clusterId }) => clusterId));
  const { versions: roots } = course.mesh.roots;
  const result = {
    now: run.ports.clock.now(),
    left: withRoots(left, roots),
    roots,
    isMember: (id: string) => members.has(id),
  };
  return merge(
    ...(await Promise.all(
      keepers(course).map((member) => noteChange(run, member, (before) => withLeft(before, result))),
    )),
  );
}

/**
 * Writes down why the root cannot sign, on the first member; undefined ends the note. An older note may stand
 * on another member, which was the first then. It ends there even if nothing else is written to that member
 * now: it would speak for the whole mesh for ever.
 */
export async function noteRootFault(
  run: Run,
  course: Course,
  fault: Finding | undefined,
): Promise<Partial<Report>> {
  const now = run.ports.clock.now();
  const [first] = keepers(course).toSorted((a, b) => (a.clusterId < b.clusterId ? -1 : 1));
  const noted = course.mesh.members
    .filter(isReachable)
    .filter(({ clusterId, state }) => clusterId === first?.clusterId || state.record?.root !== undefined);
  return merge(
    ...(await Promise.all(
      noted.map((member) =>
        noteChange(run, member, (before) =>
          withRootFault(before, member.clusterId === first?.clusterId ? fault : undefined, now),
        ),
      ),
    )),
  );
}

function withRoots(left: readonly LeftStatus[], roots: RootVersions): LeftCluster[] {
  return left.map((each) => ({ ...each, rootVersions: Object.values(roots) }));
}

function keepers(course: Course): ReachableMember[] {
  return course.mesh.members.filter(isReachable).filter((member) => keepsRecord(member, course));
}

/** A subject whose control plane is Meshjoin's: a guest is not written to. */
function keepsRecord({ clusterId, state }: ReachableMember, { mesh, plan }: Course): boolean {
  const half = plan.members.find((each) => each.clusterId === clusterId);
  const isOurs = state.controlPlane === undefined || state.controlPlane.owner === "ours";
  return mesh.subjects.has(clusterId) && half?.standing !== "blocked" && isOurs;
}

async function note(
  run: Run,
  course: Course,
  member: ReachableMember,
  result: RunResult,
): Promise<Partial<Report>> {
  const next = course.fault === undefined ? nextRecord : withRun;
  return await noteChange(run, member, (before) => next(before, result));
}

/** Asks for the record of this moment only where the one of the look would change. */
async function noteChange(
  run: Run,
  { cluster, clusterId, state }: ReachableMember,
  next: (before: MemberRecord) => MemberRecord,
): Promise<Partial<Report>> {
  const seen = state.record ?? EMPTY_RECORD;
  if (next(seen) === seen) return NOTHING;
  return await settle(
    clusterId,
    "its record was written",
    async (): Promise<Partial<Report>> => {
      const { spec, signal } = run;
      await run.inTurn(() => changeRecord(run.ports.fleet.member(cluster), next, spec.meshId, signal));
      return NOTHING;
    },
    // A cluster without Istio's namespace cannot hold one; its member report says why it has none.
    ({ error }) => (error instanceof ConflictError ? NOTHING : { errors: [error] }),
  );
}

function resultFor(
  run: Run,
  { request, mesh, report, fault }: Course,
  clusterId: string,
  isFirst: boolean,
): RunResult {
  const { versions } = mesh.roots;
  const members = new Set(mesh.members.map((member) => member.clusterId));
  const { outcome, findings, changes } = partOf(report, clusterId);
  return {
    now: run.ports.clock.now(),
    outcome,
    findings,
    changes,
    left: withRoots(report.left, versions),
    roots: versions,
    isMember: (id) => members.has(id),
    silent: request.notedAs === "full" && !mesh.isPartial ? silentIn(mesh.members) : undefined,
    ...(isFirst && request.notedAs !== undefined
      ? {
          run: {
            kind: request.notedAs,
            outcome: fault === undefined ? outcomeOfRun(report) : outcomeOfFailure(fault),
            version: VERSION,
          },
        }
      : {}),
  };
}

/** The part of a report that is about one member, and about the pairs in which it is the reader. */
function partOf(report: Report, id: string): Pick<RunResult, "outcome" | "findings" | "changes"> {
  const own = report.members.filter(({ clusterId }) => clusterId === id);
  const pairs = report.pairs.filter(({ reader, counts }) => reader === id && counts);
  const unfinished = worst([...own, ...pairs].map(({ outcome }) => outcome));
  const findings: Finding[] = [
    ...own.flatMap((member) => member.findings),
    ...report.findings.filter(({ clusterId }) => clusterId === id),
    ...pairs.flatMap(({ outcome, causes = [] }) => (isUnfinished(outcome) ? causes : [])),
  ];
  return { outcome: unfinished, findings: distinct(findings), changes: changesOf(own, pairs) };
}

/** In words: what happened to each kind of thing, and why. */
function changesOf(own: Report["members"], pairs: Report["pairs"]): string | undefined {
  const has = (change: Outcome) => own.some(({ outcome }) => outcome === change);
  const reasons = new Set(own.flatMap(({ findings }) => findings.map(({ reason }) => reason)));
  const why = reasons.size === 0 ? "" : `, because of ${[...reasons].toSorted().join(", ")}`;
  const sentences = [
    has("created") ? `its own half was created${why}` : "",
    has("updated") ? `its own half was updated${why}` : "",
    has("deleted") ? `objects were deleted${why}` : "",
    secretsThatWere("created", pairs),
    secretsThatWere("updated", pairs),
  ];
  return sentences.filter((sentence) => sentence !== "").join("; ") || undefined;
}

function secretsThatWere(change: "created" | "updated", pairs: Report["pairs"]): string {
  const number = pairs.filter(({ outcome }) => outcome === change).length;
  return number === 0 ? "" : `${count(number, "remote secret was", "remote secrets were")} ${change}`;
}

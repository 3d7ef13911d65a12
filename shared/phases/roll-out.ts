import { type Finding, finding } from "../core/finding.ts";
import { isReachable } from "../core/observation.ts";
import type { Outcome } from "../core/outcome.ts";
import type { MeshjoinError } from "../errors.ts";
import type { ApplyControlPlane } from "../plan/action.ts";
import { isWhole, type Report } from "../report.ts";
import type { Course, Phase } from "./course.ts";
import { BEGIN_WITHIN_MS, type TurnFault, takeTurns } from "./turn.ts";

/**
 * A changed manifest, one member at a time: the next only when the last is rolled out with all its pairs synced, and no healthy one
 * after the first that is not (design rule 7). The broken ones come first, whatever the mesh is like and whatever became of the one
 * before: the manifest can hardly make them worse, and may be what mends them. The others wait for the mesh to be whole, but for what
 * only a person can mend.
 */
export const rollOut: Phase = async (run, course) => {
  if (course.request.rollOut !== true) return {};
  const { broken, healthy } = dueOf(course);
  const mayGoOn = isWhole(course.report) && !course.report.isCutShort;
  const begun = new Map<string, Outcome>();
  const faults: TurnFault[] = [];
  const findings: Finding[] = [];
  const errors: MeshjoinError[] = [];
  let isLate = false;
  const started = performance.now();
  let { members } = course.mesh;
  for (const action of [...broken, ...(mayGoOn ? healthy : [])]) {
    if (faults.length > 0 && !broken.includes(action)) break;
    isLate = run.signal.aborted || performance.now() - started > BEGIN_WITHIN_MS;
    if (isLate) break;
    // oxlint-disable-next-line no-await-in-loop -- one member at a time
    const taken = await takeTurns(run, course, members, [action]);
    ({ members } = taken);
    const [fault] = taken.faults;
    begun.set(action.clusterId, fault?.outcome ?? "updated");
    faults.push(...taken.faults);
    findings.push(...taken.findings);
    errors.push(...taken.errors);
  }
  const left = broken.length + healthy.length - begun.size;
  return {
    members: [...begun].map(([clusterId, outcome]) => ({ clusterId, outcome, findings: [] })),
    findings: [
      ...(mayGoOn || healthy.length === 0 ? [] : [waits(healthy.length)]),
      ...faults.map(({ clusterId }) => stopped(clusterId, left)),
      ...findings,
    ],
    errors,
    isCutShort: isLate || faults.some(({ outcome }) => outcome === "waiting"),
  };
};

/** `broken`: of members whose istiod does not do its work as it is, and that by itself. */
function dueOf({ mesh, plan, report }: Course): Record<"broken" | "healthy", readonly ApplyControlPlane[]> {
  const broken = new Set([
    ...mesh.members
      .filter(isReachable)
      .flatMap(({ clusterId, state }) => (state.controlPlane?.rolledOut === false ? [clusterId] : [])),
    ...report.members.flatMap((each) => (each.hasLapsed && !each.isLoading ? [each.clusterId] : [])),
    ...syncNobody(report),
  ]);
  const due = plan.members.flatMap(({ clusterId, rollOut: action }) =>
    mesh.subjects.has(clusterId) ? (action ?? []) : [],
  );
  return {
    broken: due.filter(({ clusterId }) => broken.has(clusterId)),
    healthy: due.filter(({ clusterId }) => !broken.has(clusterId)),
  };
}

/**
 * Readers whose istiod has synced no other member. Another's has synced one that it should have, so it is not that member's fault: of
 * a manifest by which a member cannot be read, its readers would otherwise get the same.
 */
function syncNobody({ pairs }: Report): string[] {
  const synced = pairs.filter(({ isSynced }) => isSynced);
  const readers = new Set(synced.map(({ reader }) => reader));
  const targets = new Set(synced.map(({ target }) => target));
  return pairs
    .filter(({ outcome, counts }) => outcome === "waiting" && counts)
    .filter(({ reader, target }) => !readers.has(reader) && targets.has(target))
    .map(({ reader }) => reader);
}

function waits(count: number): Finding {
  return finding(
    "RollOutWaits",
    `a changed manifest waits for the mesh to be whole before it goes to ${count} members`,
    "mend what the other findings name",
  );
}

function stopped(clusterId: string, left: number): Finding {
  return finding(
    "RollOutStopped",
    `the roll-out of a changed manifest stopped at ${clusterId}; ${left} other members keep the one before`,
    "mend that member, or build with the manifest before; the next full run goes on when the mesh is whole",
    clusterId,
  );
}

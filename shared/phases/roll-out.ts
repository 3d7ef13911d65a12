import { type Finding, finding } from "../core/answers/finding.ts";
import type { Outcome } from "../core/answers/outcome.ts";
import { isReachable } from "../core/member/observation.ts";
import type { MeshjoinError } from "../errors.ts";
import type { ApplyControlPlane } from "../plan/action.ts";
import { isWhole, type Report } from "../report.ts";
import type { Course, Phase } from "./course.ts";
import { BEGIN_WITHIN_MS, type TurnFault, takeTurns } from "./turn.ts";

/**
 * A changed manifest, one member at a time: the next only when the last is rolled out with all its pairs synced, and none that serves
 * after the first that is not (design rule 7). Those whose istiod is not ready come first, whatever the mesh is like and whatever
 * became of the one before: the manifest cannot make them worse, and may be what mends them. Then, whatever the mesh is like, those
 * whose istiod was asked and does not do its work. The others wait for the mesh to be whole, but for what only a person can mend.
 */
export const rollOut: Phase = async (run, course) => {
  if (course.request.rollOut !== true) return {};
  const { notReady, stuck, healthy } = dueOf(course);
  const due = [...notReady, ...stuck, ...healthy];
  const mayGoOn = isWhole(course.report) && !course.report.isCutShort;
  const begun = new Map<string, Outcome>();
  const faults: TurnFault[] = [];
  const findings: Finding[] = [];
  const errors: MeshjoinError[] = [];
  let isLate = false;
  const started = performance.now();
  let { members } = course.mesh;
  for (const { action, isStoppedBy } of [...notReady, ...stuck, ...(mayGoOn ? healthy : [])]) {
    if (faults.some(isStoppedBy)) break;
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
  const left = due.length - begun.size;
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

interface DueTurn {
  readonly action: ApplyControlPlane;
  /** Whether this fault of a member before it keeps it from its turn. */
  readonly isStoppedBy: (fault: TurnFault) => boolean;
}

interface Due {
  /** Of members whose istiod is not ready. */
  readonly notReady: readonly DueTurn[];
  /** Of those whose istiod serves and was asked, and does not show what it should: its certificate, or any other member. */
  readonly stuck: readonly DueTurn[];
  readonly healthy: readonly DueTurn[];
}

function dueOf({ mesh, plan, report }: Course): Due {
  const notReady = new Set(
    mesh.members
      .filter(isReachable)
      .flatMap(({ clusterId, state }) => (state.controlPlane?.rolledOut === false ? [clusterId] : [])),
  );
  const stuck = new Set([
    ...report.members.flatMap(({ clusterId, isUnloaded }) => (isUnloaded === true ? [clusterId] : [])),
    ...syncNobody(report),
  ]);
  const groupOf = ({ clusterId }: ApplyControlPlane): keyof Due => {
    if (notReady.has(clusterId)) return "notReady";
    return stuck.has(clusterId) ? "stuck" : "healthy";
  };
  const due = plan.members.flatMap(({ clusterId, rollOut: action }) =>
    mesh.subjects.has(clusterId) ? (action ?? []) : [],
  );
  const turnsOf = (group: keyof Due, isStoppedBy: DueTurn["isStoppedBy"]) =>
    due.filter((action) => groupOf(action) === group).map((action) => ({ action, isStoppedBy }));
  return {
    notReady: turnsOf("notReady", () => false),
    stuck: turnsOf("stuck", ({ clusterId }) => !notReady.has(clusterId)),
    healthy: turnsOf("healthy", () => true),
  };
}

/**
 * Readers whose istiod was asked, and lists no other member as synced. Another's has synced one that it should have, so it is not that
 * member's fault: of a manifest by which a member cannot be read, its readers would otherwise get the same.
 */
function syncNobody({ pairs }: Report): string[] {
  const synced = pairs.filter(({ isSynced }) => isSynced === true);
  const readers = new Set(synced.map(({ reader }) => reader));
  const targets = new Set(synced.map(({ target }) => target));
  return pairs
    .filter(({ isSynced }) => isSynced === false)
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

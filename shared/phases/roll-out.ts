import { type Finding, finding } from "../core/answers/finding.ts";
import type { Outcome } from "../core/answers/outcome.ts";
import { isReachable } from "../core/member/observation.ts";
import { silentIn } from "../core/member/reach.ts";
import type { MeshjoinError } from "../errors.ts";
import type { ApplyControlPlane } from "../plan/action.ts";
import { isWhole, type Report } from "../report.ts";
import type { Run } from "../run.ts";
import type { Course, Phase } from "./course.ts";
import { whyRestartWaits } from "./restart.ts";
import { BEGIN_WITHIN_MS, type TurnFault, takeTurns } from "./turn.ts";

/**
 * Rolls a changed manifest out, one member at a time: the next only when the last is rolled out with all its
 * pairs synced, and no healthy member after the first fault (design rule 7). Members whose istiod is not
 * ready come first, in any state of the mesh and of the member before: the manifest cannot make them worse,
 * and may mend them. Next, in any state of the mesh, come members whose istiod answers and does not work. The
 * others wait until the mesh is whole, apart from faults that only a person can mend.
 *
 * A silent member holds up those alone whose istiods have its endpoints: a new istiod pod would begin without
 * them. An istiod that is not rolled out does not wait for it: its Deployment replaces the pod that serves as
 * soon as another is ready, whatever Meshjoin does.
 */
export const rollOut: Phase = async (run, course) => {
  if (course.request.rollOut !== true) return {};
  const { notReady, stuck, healthy } = dueOf(course);
  const due = [...notReady, ...stuck, ...healthy];
  const silent = silentIn(course.mesh.members);
  const mayGoOn = isWhole(apartFrom(silent, course.report)) && !course.report.isCutShort;
  const outcomes = new Map<string, Outcome>();
  const faults: TurnFault[] = [];
  const findings: Finding[] = [];
  const errors: MeshjoinError[] = [];
  let isLate = false;
  const started = performance.now();
  let { members } = course.mesh;
  for (const { action, isStoppedBy, mayLose } of [...notReady, ...stuck, ...(mayGoOn ? healthy : [])]) {
    if (faults.some(isStoppedBy)) break;
    // oxlint-disable-next-line no-await-in-loop -- one member at a time
    const held = mayLose ? await whyHeld(run, course, action) : undefined;
    if (held !== undefined) {
      outcomes.set(action.clusterId, "waiting");
      findings.push(held);
      continue;
    }
    isLate = run.signal.aborted || performance.now() - started > BEGIN_WITHIN_MS;
    if (isLate) break;
    // oxlint-disable-next-line no-await-in-loop -- one member at a time
    const turn = await takeTurns(run, course, members, [action]);
    ({ members } = turn);
    const [fault] = turn.faults;
    outcomes.set(action.clusterId, fault?.outcome ?? "updated");
    faults.push(...turn.faults);
    findings.push(...turn.findings);
    errors.push(...turn.errors);
  }
  const waiting = due.length - outcomes.size;
  return {
    members: [...outcomes].map(([clusterId, outcome]) => ({ clusterId, outcome, findings: [] })),
    findings: [
      ...(mayGoOn || healthy.length === 0 ? [] : [waits(healthy.length)]),
      ...faults.map(({ clusterId }) => stopped(clusterId, waiting)),
      ...findings,
    ],
    errors,
    isCutShort: isLate || faults.some(({ outcome }) => outcome === "waiting"),
  };
};

interface DueTurn {
  readonly action: ApplyControlPlane;
  /** Whether this fault of an earlier member keeps it from its turn. */
  readonly isStoppedBy: (fault: TurnFault) => boolean;
  /** Its istiod may have endpoints of a silent member, and goes on having them without the roll-out. */
  readonly mayLose: boolean;
}

interface Due {
  /** Members whose istiod is not ready. */
  readonly notReady: readonly DueTurn[];
  /** Members whose istiod answers, and lacks its certificate or every other member. */
  readonly stuck: readonly DueTurn[];
  readonly healthy: readonly DueTurn[];
}

function dueOf({ mesh, plan, report }: Course): Due {
  const notReady = new Set(
    mesh.members
      .filter(isReachable)
      .flatMap(({ clusterId, state }) => (state.controlPlane?.rolledOut === false ? [clusterId] : [])),
  );
  const unsynced = new Set(readersWithoutSync(report));
  const stuck = new Set([
    ...report.members.flatMap(({ clusterId, isUnloaded }) => (isUnloaded === true ? [clusterId] : [])),
    ...unsynced,
  ]);
  const groupOf = ({ clusterId }: ApplyControlPlane): keyof Due => {
    if (notReady.has(clusterId)) return "notReady";
    return stuck.has(clusterId) ? "stuck" : "healthy";
  };
  const due = plan.members.flatMap(({ clusterId, rollOut: action }) =>
    mesh.subjects.has(clusterId) ? (action ?? []) : [],
  );
  const turnsOf = (group: keyof Due, isStoppedBy: DueTurn["isStoppedBy"]) =>
    due
      .filter((action) => groupOf(action) === group)
      .map((action) => ({
        action,
        isStoppedBy,
        mayLose: group !== "notReady" && !unsynced.has(action.clusterId),
      }));
  return {
    notReady: turnsOf("notReady", () => false),
    stuck: turnsOf("stuck", ({ clusterId }) => !notReady.has(clusterId)),
    healthy: turnsOf("healthy", () => true),
  };
}

/**
 * Readers whose istiod answered and lists no member as synced, though another reader lists one of their
 * targets as synced. So the fault is not the target's: of a manifest that makes a target unreadable, the
 * readers must not get the same.
 */
function readersWithoutSync({ pairs }: Report): string[] {
  const synced = pairs.filter(({ isSynced }) => isSynced === true);
  const readers = new Set(synced.map(({ reader }) => reader));
  const targets = new Set(synced.map(({ target }) => target));
  return pairs
    .filter(({ isSynced }) => isSynced === false)
    .filter(({ reader, target }) => !readers.has(reader) && targets.has(target))
    .map(({ reader }) => reader);
}

/** Without what the silent members themselves left undone. */
function apartFrom(silent: ReadonlySet<string>, report: Report): Report {
  return {
    ...report,
    members: report.members.filter(({ clusterId }) => !silent.has(clusterId)),
    pairs: report.pairs.filter(({ reader, target }) => !silent.has(reader) && !silent.has(target)),
  };
}

async function whyHeld(
  run: Run,
  course: Course,
  { clusterId }: ApplyControlPlane,
): Promise<Finding | undefined> {
  const member = course.mesh.members.filter(isReachable).find((each) => each.clusterId === clusterId);
  return member && (await run.inTurn(() => whyRestartWaits(run, course, member)));
}

function waits(count: number): Finding {
  return finding(
    "RollOutWaits",
    `a changed manifest waits for the mesh to be healthy before it goes to ${count} members`,
    "follow the cures of the other findings",
  );
}

function stopped(clusterId: string, waiting: number): Finding {
  return finding(
    "RollOutStopped",
    `the roll-out of a changed manifest stopped at ${clusterId}; ${waiting} other members keep the earlier manifest`,
    "mend that member, or build with the earlier manifest; the next full run goes on when the mesh is healthy",
    clusterId,
  );
}

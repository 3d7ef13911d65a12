import { type Finding, finding } from "../core/finding.ts";
import { isReachable } from "../core/observation.ts";
import type { ApplyControlPlane } from "../plan/action.ts";
import { isWhole, type MemberReport } from "../report.ts";
import type { Course, Phase } from "./course.ts";
import { BEGIN_WITHIN_MS, takeTurns } from "./turn.ts";

/**
 * A changed manifest, one member at a time: the next only when the last is rolled out with all its pairs synced, and none after
 * the first that is not (design rule 7). One whose istiod is not ready comes first, whatever the mesh is like: the manifest cannot
 * make it worse, and may be what mends it. The others wait for the mesh to be whole, but for what only a person can mend.
 */
export const rollOut: Phase = async (run, course) => {
  if (course.request.rollOut !== true) return {};
  const { broken, healthy } = dueOf(course);
  const due = [...broken, ...healthy];
  const mayGoOn = isWhole(course.report) && !course.report.isCutShort;
  const turns = mayGoOn ? due : broken;
  const findings = turns.length < due.length ? [waits(due.length - turns.length)] : [];
  const done: MemberReport[] = [];
  const started = performance.now();
  let { members } = course.mesh;
  for (const [index, action] of turns.entries()) {
    if (run.signal.aborted || performance.now() - started > BEGIN_WITHIN_MS) {
      return { members: done, findings, isCutShort: true };
    }
    // oxlint-disable-next-line no-await-in-loop -- one member at a time
    const taken = await takeTurns(run, course, members, [action]);
    ({ members } = taken);
    const { clusterId } = action;
    const [fault] = taken.faults;
    done.push({ clusterId, outcome: fault?.outcome ?? "updated", findings: [] });
    if (fault !== undefined) {
      return {
        members: done,
        findings: [...findings, stopped(clusterId, turns.length - index - 1), ...taken.findings],
        errors: taken.errors,
        isCutShort: fault.outcome === "waiting",
      };
    }
  }
  return { members: done, findings };
};

/** `broken`: of members whose istiod is not ready as it is. */
function dueOf({ mesh, plan }: Course): Record<"broken" | "healthy", readonly ApplyControlPlane[]> {
  const notReady = new Set(
    mesh.members
      .filter(isReachable)
      .flatMap(({ clusterId, state }) => (state.controlPlane?.rolledOut === false ? [clusterId] : [])),
  );
  const due = plan.members.flatMap(({ clusterId, rollOut: action }) =>
    mesh.subjects.has(clusterId) ? (action ?? []) : [],
  );
  return {
    broken: due.filter(({ clusterId }) => notReady.has(clusterId)),
    healthy: due.filter(({ clusterId }) => !notReady.has(clusterId)),
  };
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
    `the roll-out of a changed manifest stopped at ${clusterId}; ${left} members keep the one before`,
    "mend that member, or build with the manifest before; the next full run goes on when the mesh is whole",
    clusterId,
  );
}

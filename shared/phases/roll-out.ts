import type { Run } from "../apply.ts";
import { type Finding, finding } from "../core/finding.ts";
import type { Outcome } from "../core/outcome.ts";
import type { MeshjoinError } from "../errors.ts";
import type { MemberResult } from "./own-halves.ts";
import { BEGIN_WITHIN_MS, type TurnInput, turn } from "./turn.ts";

export interface RollOutInput extends TurnInput {
  /** What round one made of the subjects; those with a `rollOut` are due, in this order. */
  readonly results: readonly MemberResult[];
  /** Whether every subject and every pair is as it should be: otherwise nothing is begun. */
  readonly isWhole: boolean;
}

export interface RollOutResult {
  /** By cluster ID, of the members that had their turn. */
  readonly outcomes: ReadonlyMap<string, Outcome>;
  readonly findings: readonly Finding[];
  readonly errors: readonly MeshjoinError[];
  /** Members are left that the same request can go on with. */
  readonly unfinished: boolean;
}

/**
 * A changed manifest, one member at a time: the next only when the last is rolled out with all its pairs synced, and none after
 * the first that is not (design rule 7). What stopped it keeps the mesh from being whole, so the next run does not go on.
 */
export async function rollOut(run: Run, input: RollOutInput): Promise<RollOutResult> {
  const due = input.results.filter((result) => result.rollOut !== undefined);
  const outcomes = new Map<string, Outcome>();
  const nothing = { outcomes, findings: [], errors: [], unfinished: false };
  if (due.length === 0) return nothing;
  if (!input.isWhole) return { ...nothing, findings: [waits(due.length)] };
  const started = performance.now();
  for (const [index, result] of due.entries()) {
    if (run.signal.aborted || performance.now() - started > BEGIN_WITHIN_MS) {
      return { ...nothing, unfinished: true };
    }
    const { rollOut: action } = result;
    const fault = action && (await turn(run, input, result, action));
    outcomes.set(result.clusterId, fault === undefined ? "updated" : fault.outcome);
    if (fault !== undefined) {
      const left = due.length - index - 1;
      const findings = [stopped(result.clusterId, left), ...fault.findings];
      return { outcomes, findings, errors: fault.errors, unfinished: fault.outcome === "waiting" };
    }
  }
  return nothing;
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

import { applyMember, type Run } from "../apply.ts";
import type { ApplyControlPlane } from "../core/action.ts";
import type { Cluster } from "../core/cluster.ts";
import { faultFinding } from "../core/error-finding.ts";
import { type Finding, finding } from "../core/finding.ts";
import { type Outcome, outcomeOfFailure } from "../core/outcome.ts";
import { MeshjoinError } from "../errors.ts";
import { observeMember } from "../observe.ts";
import { awaitReady, type MemberResult, type MembersInput } from "./members.ts";
import { reconcilePairs } from "./pairs.ts";

export interface RollOutInput extends Pick<MembersInput, "roots" | "collisions" | "confirm"> {
  /** Every member. */
  readonly clusters: readonly Cluster[];
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

/** A run has 500 s; what is begun after this might not be seen to its end. */
const BEGIN_WITHIN_MS = 300_000;

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
    const fault = await turn(run, input, result);
    outcomes.set(result.clusterId, fault === undefined ? "updated" : fault.outcome);
    if (fault !== undefined) {
      const left = due.length - index - 1;
      const findings = [stopped(result.clusterId, left), ...fault.findings];
      return { outcomes, findings, errors: fault.errors, unfinished: fault.outcome === "waiting" };
    }
  }
  return nothing;
}

interface Fault {
  readonly outcome: "waiting" | "failed";
  readonly findings: readonly Finding[];
  readonly errors: readonly MeshjoinError[];
}

/** One member's turn; undefined if all went well. */
async function turn(run: Run, input: RollOutInput, result: MemberResult): Promise<Fault | undefined> {
  const { cluster, clusterId } = result;
  try {
    const member = await observeMember(run.ports, run.spec, cluster, "subject", run.signal);
    await applyMember(run, member, actionsOf(result));
    if (!(await awaitReady(run, member))) return { outcome: "waiting", findings: [], errors: [] };
    const { rollOut: _, ...done } = result;
    const pairs = await reconcilePairs(run, {
      ...input,
      observed: undefined,
      results: [{ ...done, outcome: "updated" }],
    });
    const bad = pairs.pairs.filter(
      ({ outcome, counts }) => counts && (outcome === "failed" || outcome === "waiting"),
    );
    const late = pairs.late.get(clusterId);
    if (bad.length === 0 && late === undefined) return undefined;
    const failed = [...bad.map(({ outcome }) => outcome), late?.outcome].includes("failed");
    return {
      outcome: failed ? "failed" : "waiting",
      findings: [...pairs.findings, ...(late?.findings ?? [])],
      errors: pairs.errors,
    };
  } catch (error) {
    if (!(error instanceof MeshjoinError)) throw error;
    const outcome = outcomeOfFailure(error);
    return { outcome, findings: [faultFinding(error, clusterId)], errors: [error] };
  }
}

function actionsOf({ rollOut: action }: MemberResult): ApplyControlPlane[] {
  return action === undefined ? [] : [action];
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

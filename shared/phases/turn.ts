import { applyMember, type Run } from "../apply.ts";
import type { Cluster } from "../core/cluster.ts";
import { faultFinding } from "../core/error-finding.ts";
import type { Finding } from "../core/finding.ts";
import { outcomeOfFailure } from "../core/outcome.ts";
import { MeshjoinError } from "../errors.ts";
import { observeMember } from "../look/member.ts";
import type { MemberAction } from "../plan/action.ts";
import { awaitReady, type Judging, type MemberResult } from "./own-halves.ts";
import { reconcilePairs } from "./pairs.ts";

export interface TurnInput extends Judging {
  /** Every member. */
  readonly clusters: readonly Cluster[];
}

/** Why a member did not come out of its turn whole. */
export interface TurnFault {
  readonly outcome: "waiting" | "failed";
  readonly findings: readonly Finding[];
  readonly errors: readonly MeshjoinError[];
}

/** A run has 500 s; what is begun after this might not be seen to its end. */
export const BEGIN_WITHIN_MS = 300_000;

/**
 * One member's turn: what is due is done to it, and it is whole again when istiod is ready, serves its intermediate, and all its
 * pairs are synced. Undefined if it is.
 */
export async function turn(
  run: Run,
  input: TurnInput,
  { cluster, clusterId, rollOut: _, renewal: __, ...result }: MemberResult,
  action: MemberAction,
): Promise<TurnFault | undefined> {
  try {
    const member = await observeMember(run.ports, run.spec, cluster, "subject", run.signal);
    await applyMember(run, member, [action]);
    if (!(await awaitReady(run, member))) return { outcome: "waiting", findings: [], errors: [] };
    const pairs = await reconcilePairs(run, {
      ...input,
      observed: undefined,
      results: [{ ...result, cluster, clusterId, outcome: "updated" }],
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

import { faultFinding } from "./core/answers/error-finding.ts";
import { distinct, type Finding } from "./core/answers/finding.ts";
import { isUnfinished, type Outcome, outcomeOfFailure, worst } from "./core/answers/outcome.ts";
import type { LeftStatus } from "./core/answers/status.ts";
import type { MemberSummary, Summary } from "./core/answers/summary.ts";
import { asMeshjoinError, type MeshjoinError } from "./errors.ts";

/**
 * The result of a phase, of one member's part in it, and of the whole run.
 *
 * |         | comes again?                 | logged?                          | shown?                     |
 * | ------- | ---------------------------- | -------------------------------- | -------------------------- |
 * | outcome | `waiting` does, if it counts | counted by the last line         | of each member and pair    |
 * | error   | by its outcome alone         | once, with its cause             | as the finding of `settle` |
 * | finding | no                           | once, unless an error said it    | yes                        |
 */
export interface Report {
  /** A member may have several, of several phases; the summary shows the worst outcome and all findings. */
  readonly members: readonly MemberReport[];
  readonly pairs: readonly PairReport[];
  /** About the mesh, pairs, and members that the run is not about. */
  readonly findings: readonly Finding[];
  readonly errors: readonly MeshjoinError[];
  /** The clusters that this run took out and that run on. */
  readonly left: readonly LeftStatus[];
  /** The run stopped before it had come to all members; the same request can go on. */
  readonly isCutShort: boolean;
}

export interface MemberReport {
  readonly clusterId: string;
  readonly outcome: Outcome;
  readonly findings: readonly Finding[];
  /** The run wrote something to it. */
  readonly wrote?: boolean;
  /** It was left alone, because a person must act first. */
  readonly isBlocked?: boolean;
  /** Its own half was complete; later its istiod was not ready, or did not serve its intermediate. */
  readonly hasLapsed?: boolean;
  /** Its istiod answered, and does not serve the intermediate that it should have loaded by now. */
  readonly isUnloaded?: boolean;
  /**
   * It is about the member's gateway, its traffic rule or its notes of drains alone. Pairs that need none,
   * and the members' turns, go on without.
   */
  readonly isAside?: boolean;
}

export interface PairReport {
  readonly reader: string;
  readonly target: string;
  readonly outcome: Outcome;
  /** Whether the outcome counts for the run. A pair that waits for the other member's own half does not. */
  readonly counts: boolean;
  /** It was left alone, because a person must act first. */
  readonly isBlocked?: boolean;
  /** Whether every istiod of the reader lists the target as synced; undefined where Meshjoin cannot tell. */
  readonly isSynced?: boolean;
  /** What it waits for, or failed of; about the target, too. */
  readonly causes?: readonly Finding[];
}

export const NOTHING: Report = {
  members: [],
  pairs: [],
  findings: [],
  errors: [],
  left: [],
  isCutShort: false,
};

export function merge(...reports: readonly Partial<Report>[]): Report {
  return {
    members: reports.flatMap(({ members = [] }) => members),
    pairs: reports.flatMap(({ pairs = [] }) => pairs),
    findings: reports.flatMap(({ findings = [] }) => findings),
    errors: reports.flatMap(({ errors = [] }) => errors),
    left: reports.flatMap(({ left = [] }) => left),
    isCutShort: reports.some(({ isCutShort = false }) => isCutShort),
  };
}

/** The outcome, the finding and the error for the log, for a member whose part of the work threw. */
function failure(thrown: unknown, clusterId: string, doing: string): MemberFault {
  const error = asMeshjoinError(thrown, clusterId, doing);
  return { clusterId, outcome: outcomeOfFailure(error), finding: faultFinding(error, clusterId), error };
}

export interface MemberFault {
  readonly clusterId: string;
  readonly outcome: "waiting" | "failed";
  readonly finding: Finding;
  readonly error: MeshjoinError;
}

/**
 * The bulkhead between members: any error of `work`, even an unexpected one, becomes the outcome of its one
 * member. `doing` completes "an unexpected error while …".
 */
export async function settle<T>(
  clusterId: string,
  doing: string,
  work: () => Promise<T>,
  onFault: (fault: MemberFault) => T,
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    return onFault(failure(error, clusterId, doing));
  }
}

/** Outcomes that count for the run. */
function outcomesOf({ members, pairs }: Report): Outcome[] {
  return [
    ...members.map(({ outcome }) => outcome),
    ...pairs.flatMap(({ outcome, counts }) => (counts ? [outcome] : [])),
  ];
}

export function outcomeOfRun(report: Report): Outcome {
  return worst(outcomesOf(report));
}

/** Whether the same request should come again: time alone can finish the rest. */
export function isRetried(report: Report): boolean {
  return report.isCutShort || outcomesOf(report).includes("waiting");
}

/** Whether every member and pair is as it should be, apart from those that only a person can mend. */
export function isWhole({ members, pairs }: Report): boolean {
  const parts = [
    ...members.filter(({ isAside }) => isAside !== true),
    ...pairs.filter(({ counts }) => counts),
  ];
  return !parts.some(({ outcome, isBlocked = false }) => isUnfinished(outcome) && !isBlocked);
}

export function summaryOf(report: Report): Summary {
  return {
    outcome: outcomeOfRun(report),
    members: memberSummaries(report),
    pairs: report.pairs.map(({ reader, target, outcome }) => ({ reader, target, outcome })),
    findings: distinct(report.findings),
  };
}

function memberSummaries({ members }: Report): MemberSummary[] {
  const byMember = Map.groupBy(members, ({ clusterId }) => clusterId);
  return [...byMember].map(([clusterId, reports]) => ({
    clusterId,
    outcome: worst(reports.map(({ outcome }) => outcome)),
    findings: distinct(reports.flatMap(({ findings }) => findings)),
  }));
}

import type { Result } from "./sender.ts";

export interface Counts {
  readonly requests: number;
  readonly failed: number;
}

export interface StepCounts extends Counts {
  readonly name: string;
  /** The first of those that failed: what they say of the cause, and when. */
  readonly failures: readonly Result[];
}

/** More say nothing new, and would fill the message of a test. */
const FAILURES_MAX = 10;

/** Counts results; steps follow each other without a gap, so their counts add up to those of the whole. */
export interface Tally {
  add(result: Result): void;
  counts(): Counts;
  /** Ends a step: what came in since the one before it ended. */
  endStep(name: string): StepCounts;
}

export function renderCounts({ requests, failed }: Counts): string {
  return `${requests} requests, ${failed} failed`;
}

/** A line for each of the first failures. */
export function renderFailures({ failures }: Pick<StepCounts, "failures">): string {
  return failures
    .map(
      ({ time, ms, status, failure }) =>
        `\n    ${time} after ${ms} ms: ${status ?? "no answer"} ${failure ?? ""}`,
    )
    .join("");
}

export function createTally(): Tally {
  let now: Counts = { requests: 0, failed: 0 };
  let before = now;
  let failures: Result[] = [];
  return {
    add(result) {
      const isFailed = result.failure !== undefined;
      now = { requests: now.requests + 1, failed: now.failed + (isFailed ? 1 : 0) };
      if (isFailed && failures.length < FAILURES_MAX) failures.push(result);
    },
    counts: () => now,
    endStep(name) {
      const [requests, failed] = [now.requests - before.requests, now.failed - before.failed];
      const step = { name, requests, failed, failures };
      before = now;
      failures = [];
      return step;
    },
  };
}

import type { Result } from "./sender.ts";

export interface Counts {
  readonly requests: number;
  readonly failed: number;
}

export interface StepCounts extends Counts {
  readonly name: string;
}

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

export function createTally(): Tally {
  let now: Counts = { requests: 0, failed: 0 };
  let before = now;
  return {
    add({ failure }) {
      now = { requests: now.requests + 1, failed: now.failed + (failure === undefined ? 0 : 1) };
    },
    counts: () => now,
    endStep(name) {
      const step = { name, requests: now.requests - before.requests, failed: now.failed - before.failed };
      before = now;
      return step;
    },
  };
}

import type { Clock } from "../../../shared/ports/clock.ts";

/** Stands still until it is moved. */
export interface FakeClock extends Clock {
  advance(seconds: number): void;
}

export function fakeClock(start: Date | string = "2026-03-01T12:00:00Z"): FakeClock {
  let now = new Date(start).getTime();
  return {
    now: () => new Date(now),
    advance(seconds) {
      now += seconds * 1000;
    },
  };
}

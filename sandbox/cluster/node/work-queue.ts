import { setTimeout as delay } from "node:timers/promises";

/** Work on things that may change at any time, one step at a time for each. */
export interface WorkQueue<T> {
  /** Takes one step for the item's present state; after the step that is under way, if one is. */
  add(item: T): void;
  /** Resolves when no step is under way; call it when `signal` has aborted. */
  drained(): Promise<void>;
}

const RETRY_MS = 300;

/** A step that fails is taken again after a while, until `signal` aborts. */
export function createWorkQueue<T>(step: (item: T) => Promise<void>, signal: AbortSignal): WorkQueue<T> {
  const wanted = new Set<T>();
  const loops = new Map<T, Promise<void>>();

  async function workOn(item: T): Promise<void> {
    while (wanted.has(item) && !signal.aborted) {
      wanted.delete(item);
      try {
        await step(item);
      } catch {
        wanted.add(item);
        await delay(RETRY_MS, undefined, { signal }).catch(() => undefined);
      }
    }
    // In the same turn as the last look, so that nothing that is added from now on is missed.
    loops.delete(item);
  }
  return {
    add(item) {
      wanted.add(item);
      if (!loops.has(item) && !signal.aborted) loops.set(item, workOn(item));
    },
    async drained() {
      await Promise.all(loops.values());
    },
  };
}

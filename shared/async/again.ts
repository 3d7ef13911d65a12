import { setTimeout as sleep } from "node:timers/promises";

/**
 * Does idempotent work, and does it again after a pause while its error is one that passes. Fails with the
 * last error when the limit has aborted, and with any other error at once.
 */
export async function again<T>(
  work: () => Promise<T>,
  passes: (error: unknown) => boolean,
  pauseMs: number,
  limit: AbortSignal,
): Promise<T> {
  for (;;) {
    try {
      // oxlint-disable-next-line no-await-in-loop -- one attempt after the other
      return await work();
    } catch (error) {
      if (!passes(error) || limit.aborted) throw error;
    }
    // oxlint-disable-next-line no-await-in-loop
    await sleep(pauseMs, undefined, { signal: limit }).catch(() => undefined);
  }
}

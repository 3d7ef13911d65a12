import { isRetryable } from "../errors.ts";

/**
 * Waits for all, so that no work goes on after the caller has handled the error. Then fails with the first
 * error that is not retryable, else with the first one.
 */
export async function settleAll(work: readonly Promise<unknown>[]): Promise<void> {
  const results = await Promise.allSettled(work);
  const errors = results.flatMap((result) =>
    result.status === "rejected" ? [result.reason as unknown] : [],
  );
  if (errors.length > 0) throw errors.find((error) => !isRetryable(error)) ?? errors[0];
}

import { isRetryable } from "../errors.ts";

/**
 * Waits for all of them, so that nothing goes on behind the back of whoever handles the error; then fails with what
 * asking again does not mend, or else with the first error.
 */
export async function settleAll(work: readonly Promise<unknown>[]): Promise<void> {
  const results = await Promise.allSettled(work);
  const errors = results.flatMap((result) =>
    result.status === "rejected" ? [result.reason as unknown] : [],
  );
  if (errors.length > 0) throw errors.find((error) => !isRetryable(error)) ?? errors[0];
}

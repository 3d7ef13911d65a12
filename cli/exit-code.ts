import { ConfigError, InputError, isRetryable, MeshjoinError } from "../shared/errors.ts";

/** Scripts may rely on these; the help of the command lists them. */
export const EXIT = { done: 0, failed: 1, usage: 2, retry: 3, degraded: 4, broken: 5 } as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** An unexpected error counts as failed, because it may not be retryable. */
export function exitCodeOf(error: unknown): ExitCode {
  if (error instanceof ConfigError || error instanceof InputError) return EXIT.usage;
  return error instanceof MeshjoinError && isRetryable(error) ? EXIT.retry : EXIT.failed;
}

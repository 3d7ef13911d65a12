import { ConfigError, InputError, isRetryable, MeshjoinError } from "../shared/errors.ts";

/** What scripts may rely on; the help of the command says the same. */
export const EXIT = { done: 0, failed: 1, usage: 2, retry: 3 } as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** Nobody knows whether what we do not know ourselves may pass, so it counts as failed. */
export function exitCodeOf(error: unknown): ExitCode {
  if (error instanceof ConfigError || error instanceof InputError) return EXIT.usage;
  return error instanceof MeshjoinError && isRetryable(error) ? EXIT.retry : EXIT.failed;
}

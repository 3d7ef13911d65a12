import { isRetryable, MeshjoinError, NotReadyError } from "../../shared/errors.ts";
import type { Logger } from "../../shared/log.ts";

/**
 * A retryable error goes back to the Functions Framework, which prints it and answers 500, so that Pub/Sub
 * delivers again. An error that is not Meshjoin's own is replaced, because its message may hold anything. An
 * error that no retry mends is logged and acknowledged.
 */
export function acknowledgeOrThrow(log: Logger, what: "event" | "message", error: unknown): void {
  const ours = error instanceof MeshjoinError;
  if (ours && !isRetryable(error)) {
    log.error({ err: error, code: error.code }, `${what} given up`);
    return;
  }
  log.warn({ err: error, code: ours ? error.code : "Internal" }, `${what} is delivered again`);
  throw ours
    ? error
    : new NotReadyError("an unexpected error", { code: "Internal", cure: "see its log entry" });
}

import type { ErrorCode } from "../../shared/core/answers/error-codes.ts";
import { InputError, isRetryable, MeshjoinError } from "../../shared/errors.ts";
import type { Logger } from "../../shared/log.ts";

/** The answer to a request; `body` is JSON unless it is a text. */
export interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

/** The same shape for every error of every function (docs/reference); `field` names the input at fault. */
export interface ErrorBody {
  readonly code: ErrorCode;
  readonly message: string;
  /** Without one, time may be the cure. */
  readonly cure?: string;
  readonly field?: string;
}

export function refusal(status: number, body: ErrorBody, headers: Answer["headers"] = {}): Answer {
  return { status, headers, body };
}

const SEE_LOG = "see the log of the function: the entry of this request says more";

/** The answer for an error. Only Meshjoin's own messages go out: others may hold anything. */
export function errorAnswer(error: unknown): Answer {
  if (!(error instanceof MeshjoinError)) {
    return refusal(500, { code: "Internal", message: "an unexpected error", cure: SEE_LOG });
  }
  const body = errorBody(error);
  if (error instanceof InputError) return refusal(400, { ...body, field: error.field });
  return isRetryable(error) ? refusal(503, body, { "retry-after": "60" }) : refusal(500, body);
}

/**
 * Also logs the error, unless the caller alone has to act: as a warning if asking again may mend it, as an
 * error if an operator must.
 */
export function loggedErrorAnswer(error: unknown, log: Logger): Answer {
  const passes = error instanceof MeshjoinError && error.retryable;
  if (!(error instanceof InputError)) log[passes ? "warn" : "error"]({ err: error }, "request failed");
  return errorAnswer(error);
}

export function errorBody({ code, message, cure }: MeshjoinError): ErrorBody {
  return { code, message, ...(cure === undefined ? {} : { cure }) };
}

import type { ErrorCode } from "../../shared/core/answers/error-codes.ts";
import { InputError, isRetryable, MeshjoinError } from "../../shared/errors.ts";
import type { Logger } from "../../shared/log.ts";

/** What is sent back; `body` is JSON unless it is a text. */
export interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

/** The same shape for every error of every function (docs/reference); `field` names what is wrong with the input. */
export interface ErrorBody {
  readonly code: ErrorCode;
  readonly message: string;
  /** What mends it; without one, time may. */
  readonly cure?: string;
  readonly field?: string;
}

export function refusal(status: number, body: ErrorBody, headers: Answer["headers"] = {}): Answer {
  return { status, headers, body };
}

const SEE_LOG = "see the log of the function: the entry of this request says more";

/**
 * An error that left nothing to answer with. Only our own words go out: nobody knows what the message of another error
 * holds.
 */
export function errorAnswer(error: unknown): Answer {
  if (!(error instanceof MeshjoinError)) {
    return refusal(500, { code: "Internal", message: "an unexpected error", cure: SEE_LOG });
  }
  const body = errorBody(error);
  if (error instanceof InputError) return refusal(400, { ...body, field: error.field });
  return isRetryable(error) ? refusal(503, body, { "retry-after": "60" }) : refusal(500, body);
}

/**
 * The same, logged unless the caller alone has to act: as a warning where asking again may mend it, as an error where an operator
 * has to.
 */
export function loggedErrorAnswer(error: unknown, log: Logger): Answer {
  const passes = error instanceof MeshjoinError && error.retryable;
  if (!(error instanceof InputError)) log[passes ? "warn" : "error"]({ err: error }, "request failed");
  return errorAnswer(error);
}

export function errorBody({ code, message, cure }: MeshjoinError): ErrorBody {
  return { code, message, ...(cure === undefined ? {} : { cure }) };
}

import { type ErrorCode, isErrorCode } from "../core/answers/error-codes.ts";
import {
  type ErrorFields,
  InputError,
  type MeshjoinError,
  NotReadyError,
  RefusedError,
  RootError,
  UnavailableError,
} from "../errors.ts";
import { property } from "./google-client.ts";

export interface SignerAnswer {
  readonly status: number;
  /** Undefined if it is no JSON. */
  readonly body: unknown;
}

interface ErrorBody {
  readonly code: ErrorCode;
  readonly fields: ErrorFields;
  readonly cure: string | undefined;
  readonly message: string;
  readonly field: string;
}

/** The function's own error from its answer, or an error for an answer that another server gave. */
export function toError({ status, body }: SignerAnswer, url: string): MeshjoinError {
  const parts = toErrorBody(body);
  return (parts === undefined ? undefined : ownError(status, parts)) ?? foreignError(status, url);
}

/** No answer arrived: no server, a timeout, or the caller cancelled. */
export function notSent(error: unknown, url: string, signal: AbortSignal | undefined): MeshjoinError {
  const isCancelled = signal?.aborted === true;
  const reason = isCancelled ? "it was cancelled" : reasonOf(error);
  return new UnavailableError(`could not call ${url}: ${reason}`, {
    code: isCancelled ? "Cancelled" : "SignerUnavailable",
    cause: error,
    fields: { url },
  });
}

/** The function's own 404s; a 404 of another server says nothing about a cluster. */
const NOT_YET: readonly ErrorCode[] = ["ClusterUnknown", "NotAMember"];

/** The statuses of functions/sign-intermediate/error.ts. */
function ownError(status: number, { message, field, ...parts }: ErrorBody): MeshjoinError | undefined {
  if (status === 400 || status === 413) return new InputError(message, { ...parts, field });
  if (status === 403) return new RefusedError(message, parts);
  if (status === 404 && NOT_YET.includes(parts.code)) return new NotReadyError(message, parts);
  if (status === 422) return new RootError(message, parts);
  return status >= 500 ? new UnavailableError(message, parts) : undefined;
}

/** Terminal, as a root that Meshjoin may not read: only an operator can change it. */
function foreignError(status: number, url: string): MeshjoinError {
  const fields = { url, status };
  if (status === 401 || status === 403) {
    return new RootError(`${url} does not admit this identity (${status})`, {
      code: "SignerAccessDenied",
      cure: "grant it roles/run.invoker on the function sign-intermediate, and check that MESHJOIN_SIGNER_URL is exactly that function's URL",
      fields,
    });
  }
  if (status >= 500 || status === 408 || status === 429) {
    return new UnavailableError(`could not call ${url}: it answered ${status}`, {
      code: "SignerUnavailable",
      fields,
    });
  }
  return new RootError(`${url} is not the function sign-intermediate, it answered ${status}`, {
    code: "SignerMisplaced",
    cure: "set MESHJOIN_SIGNER_URL to that function's URL; if it is that already, deploy both from one build",
    fields,
  });
}

function toErrorBody(body: unknown): ErrorBody | undefined {
  const code = property(body, "code");
  const message = property(body, "message");
  const cure = property(body, "cure");
  const field = property(body, "field") ?? "body";
  const whole = typeof code === "string" && typeof message === "string" && typeof field === "string";
  return whole
    ? { ...knownCode(code), cure: typeof cure === "string" ? cure : undefined, message, field }
    : undefined;
}

/** fetch says only "fetch failed"; the reason is in its cause. */
function reasonOf(error: unknown): string {
  const messages = [property(error, "cause"), error].map((each) => property(each, "message"));
  return String(messages.find((message) => typeof message === "string" && message !== "") ?? error);
}

function knownCode(code: string): Pick<ErrorBody, "code" | "fields"> {
  return isErrorCode(code) ? { code, fields: {} } : { code: "SignerVersionDiffers", fields: { said: code } };
}

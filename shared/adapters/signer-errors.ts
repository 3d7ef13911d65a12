import {
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
  readonly code: string;
  readonly message: string;
  readonly field: string;
}

/** The error that the function has put into its answer, or what an answer means that is not the function's own. */
export function toError({ status, body }: SignerAnswer, url: string): MeshjoinError {
  const said = toErrorBody(body);
  return (said === undefined ? undefined : ownError(status, said)) ?? foreignError(status, url);
}

/** No answer has arrived: nobody was there, it took too long, or the caller has changed its mind. */
export function notSent(error: unknown, url: string, signal: AbortSignal | undefined): MeshjoinError {
  const [reason, code] =
    signal?.aborted === true ? ["it was cancelled", "Cancelled"] : [reasonOf(error), "SignerUnavailable"];
  return new UnavailableError(`could not call ${url}: ${reason}; it will be tried again`, {
    code,
    cause: error,
    fields: { url },
  });
}

/** A 404 of anybody else says nothing about a cluster. */
const NOT_YET = ["ClusterUnknown", "NotAMember"];

/** As the function chooses its statuses; functions/http/sign-error.ts. */
function ownError(status: number, { code, message, field }: ErrorBody): MeshjoinError | undefined {
  if (status === 400 || status === 413) return new InputError(message, { code, field });
  if (status === 403) return new RefusedError(message, { code });
  if (status === 404 && NOT_YET.includes(code)) return new NotReadyError(message, { code });
  if (status === 422) return new RootError(message, { code });
  return status >= 500 ? new UnavailableError(message, { code }) : undefined;
}

/** Terminal as a root that may not be read is: nothing but an operator can change it. */
function foreignError(status: number, url: string): MeshjoinError {
  const fields = { url, status };
  if (status === 401 || status === 403) {
    return new RootError(
      `${url} does not let this identity in (${status}); grant it roles/run.invoker on the function sign-intermediate, ` +
        "and check that MESHJOIN_SIGNER_URL is exactly that function's URL",
      { code: "SignerAccessDenied", fields },
    );
  }
  if (status >= 500 || status === 408 || status === 429) {
    return new UnavailableError(`could not call ${url}: it answered ${status}; it will be tried again`, {
      code: "SignerUnavailable",
      fields,
    });
  }
  return new RootError(
    `${url} is not the function sign-intermediate, it answered ${status}; set MESHJOIN_SIGNER_URL to its URL`,
    { code: "SignerMisplaced", fields },
  );
}

function toErrorBody(body: unknown): ErrorBody | undefined {
  const code = property(body, "code");
  const message = property(body, "message");
  const field = property(body, "field") ?? "body";
  const whole = typeof code === "string" && typeof message === "string" && typeof field === "string";
  return whole ? { code, message, field } : undefined;
}

/** fetch says no more than "fetch failed"; what it failed of is its cause. */
function reasonOf(error: unknown): string {
  const said = [property(error, "cause"), error].map((each) => property(each, "message"));
  return String(said.find((message) => typeof message === "string" && message !== "") ?? error);
}

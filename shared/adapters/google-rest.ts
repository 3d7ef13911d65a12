import { GRPC, property } from "./google-client.ts";

export interface RestQuestion {
  readonly url: string;
  readonly accessToken: () => Promise<string>;
  readonly signal: AbortSignal | undefined;
  /** Sent as JSON by POST; without it the call is a GET. */
  readonly body?: object;
  /**
   * The project whose quota and enabled APIs count for the call;
   * https://cloud.google.com/docs/quotas/quota-project
   */
  readonly quotaProject?: string;
}

const TIMEOUT_MS = 20_000;

/** One call of a Google API, without a client library. Its errors look as Google's clients throw them. */
export async function askGoogle(question: RestQuestion): Promise<unknown> {
  const { url, accessToken, signal, body, quotaProject } = question;
  const timeout = AbortSignal.timeout(TIMEOUT_MS);
  try {
    signal?.throwIfAborted();
    const response = await fetch(url, {
      ...(body === undefined ? {} : { method: "POST", body: JSON.stringify(body) }),
      headers: {
        authorization: `Bearer ${await accessToken()}`,
        ...(body === undefined ? {} : { "content-type": "application/json" }),
        ...(quotaProject === undefined ? {} : { "x-goog-user-project": quotaProject }),
      },
      // The token is for this address alone.
      redirect: "error",
      signal: signal === undefined ? timeout : AbortSignal.any([signal, timeout]),
    });
    const answer: unknown = await response.json().catch(() => undefined);
    if (response.ok) return answer;
    throw refusal(response.status, answer);
  } catch (error) {
    if (signal?.aborted === true) throw grpcError(GRPC.cancelled, "the call was cancelled");
    if (timeout.aborted) throw grpcError(GRPC.deadlineExceeded, "no answer in time");
    throw error;
  }
}

/** By the name in the body, such as `FAILED_PRECONDITION`. */
const CODES_BY_NAME: ReadonlyMap<unknown, number> = new Map(
  Object.entries(GRPC).map(([name, code]) => [name.replace(/[A-Z]/g, "_$&").toUpperCase(), code]),
);

/**
 * Used if the body names no code: one HTTP status stands for several codes.
 * https://cloud.google.com/apis/design/errors#handling_errors
 */
const CODES: Readonly<Record<number, number>> = {
  400: GRPC.invalidArgument,
  401: GRPC.unauthenticated,
  403: GRPC.permissionDenied,
  404: GRPC.notFound,
  429: GRPC.resourceExhausted,
  501: GRPC.unimplemented,
};

/** The reasons of `google.rpc.ErrorInfo` that no role on the resource mends. */
const REASONS = ["SERVICE_DISABLED", "USER_PROJECT_DENIED"];

function refusal(status: number, body: unknown): Error {
  const error = property(body, "error");
  const message = property(error, "message");
  const details = property(error, "details");
  const reasons: unknown[] = Array.isArray(details)
    ? details.map((detail) => property(detail, "reason"))
    : [];
  const reason = REASONS.find((each) => reasons.includes(each));
  const text = typeof message === "string" ? message : `HTTP status ${status}`;
  const code = codeOf(status, property(error, "status"));
  return grpcError(code, text, reason === undefined ? {} : { reason });
}

/** A 5xx is `unavailable`; its body does not count. */
function codeOf(status: number, name: unknown): number {
  const named = status < 500 ? CODES_BY_NAME.get(name) : undefined;
  return named ?? CODES[status] ?? GRPC.unavailable;
}

/** As Google's clients throw them. */
function grpcError(code: number, message: string, more: object = {}): Error {
  return Object.assign(new Error(message), { code, ...more });
}

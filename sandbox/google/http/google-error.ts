/**
 * `google.rpc.Code` and the HTTP status it maps to;
 * https://github.com/googleapis/googleapis/blob/master/google/rpc/code.proto
 */
const CODES = {
  INVALID_ARGUMENT: { http: 400, rpc: 3 },
  NOT_FOUND: { http: 404, rpc: 5 },
  ALREADY_EXISTS: { http: 409, rpc: 6 },
  PERMISSION_DENIED: { http: 403, rpc: 7 },
  RESOURCE_EXHAUSTED: { http: 429, rpc: 8 },
  FAILED_PRECONDITION: { http: 400, rpc: 9 },
  ABORTED: { http: 409, rpc: 10 },
  UNIMPLEMENTED: { http: 501, rpc: 12 },
  INTERNAL: { http: 500, rpc: 13 },
  UNAVAILABLE: { http: 503, rpc: 14 },
  UNAUTHENTICATED: { http: 401, rpc: 16 },
} as const;

export type GoogleStatus = keyof typeof CODES;

/** What a stand-in answers instead of a result, in the words of the real API. */
export class GoogleError extends Error {
  readonly status: GoogleStatus;
  /** As `google.rpc.ErrorInfo` and others of its kind. */
  readonly details: readonly object[];

  constructor(status: GoogleStatus, message: string, details: readonly object[] = []) {
    super(message);
    this.details = details;
    this.name = "GoogleError";
    this.status = status;
  }

  get httpStatus(): number {
    return CODES[this.status].http;
  }

  get rpcCode(): number {
    return CODES[this.status].rpc;
  }
}

/** Google's JSON error; https://cloud.google.com/apis/design/errors#http_mapping */
export function errorBody({ httpStatus, message, status, details }: GoogleError): object {
  return { error: { code: httpStatus, message, status, ...(details.length === 0 ? {} : { details }) } };
}

/**
 * The status that stands for an HTTP status which a fault asks for; anything unknown is INTERNAL or
 * INVALID_ARGUMENT.
 */
export function statusOf(httpStatus: number): GoogleStatus {
  const known: Readonly<Record<number, GoogleStatus>> = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    409: "ABORTED",
    429: "RESOURCE_EXHAUSTED",
    500: "INTERNAL",
    501: "UNIMPLEMENTED",
    503: "UNAVAILABLE",
  };
  return known[httpStatus] ?? (httpStatus >= 500 ? "INTERNAL" : "INVALID_ARGUMENT");
}

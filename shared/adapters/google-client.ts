import type { ErrorCode } from "../core/answers/error-codes.ts";
import {
  type ErrorFields,
  InputError,
  type MeshjoinError,
  RefusedError,
  UnavailableError,
} from "../errors.ts";

/** `google.rpc.Code`; https://github.com/googleapis/googleapis/blob/master/google/rpc/code.proto */
export const GRPC = {
  cancelled: 1,
  unknown: 2,
  invalidArgument: 3,
  deadlineExceeded: 4,
  notFound: 5,
  alreadyExists: 6,
  permissionDenied: 7,
  resourceExhausted: 8,
  failedPrecondition: 9,
  aborted: 10,
  outOfRange: 11,
  unimplemented: 12,
  internal: 13,
  unavailable: 14,
  dataLoss: 15,
  unauthenticated: 16,
} as const;

const CODES: ReadonlyMap<number, ErrorCode> = new Map([
  [GRPC.cancelled, "Cancelled"],
  [GRPC.unknown, "Unknown"],
  [GRPC.invalidArgument, "InvalidArgument"],
  [GRPC.deadlineExceeded, "DeadlineExceeded"],
  [GRPC.notFound, "NotFound"],
  [GRPC.alreadyExists, "AlreadyExists"],
  [GRPC.permissionDenied, "PermissionDenied"],
  [GRPC.resourceExhausted, "ResourceExhausted"],
  [GRPC.failedPrecondition, "FailedPrecondition"],
  [GRPC.aborted, "Aborted"],
  [GRPC.outOfRange, "OutOfRange"],
  [GRPC.unimplemented, "Unimplemented"],
  [GRPC.internal, "Internal"],
  [GRPC.unavailable, "Unavailable"],
  [GRPC.dataLoss, "DataLoss"],
  [GRPC.unauthenticated, "Unauthenticated"],
]);

/** Codes of errors that may pass by themselves. */
const TRANSIENT: ReadonlySet<number> = new Set([
  GRPC.cancelled,
  GRPC.unknown,
  GRPC.deadlineExceeded,
  GRPC.resourceExhausted,
  GRPC.aborted,
  GRPC.internal,
  GRPC.unavailable,
]);

const CALL_TIMEOUT_MS = 20_000;
const TOTAL_TIMEOUT_MS = 60_000;

/**
 * The clients' own defaults go on for 600 seconds, longer than a function may run (`*_client_config.json` of
 * each client). Only for calls that may be sent again: reads, and writes that set a state. New objects for
 * each call, because the clients write into them.
 */
export function callOptions(signal: AbortSignal | undefined) {
  return {
    timeout: CALL_TIMEOUT_MS,
    retry: {
      retryCodes: [GRPC.unavailable, GRPC.deadlineExceeded],
      backoffSettings: {
        initialRetryDelayMillis: 200,
        retryDelayMultiplier: 2,
        maxRetryDelayMillis: 5_000,
        initialRpcTimeoutMillis: CALL_TIMEOUT_MS,
        rpcTimeoutMultiplier: 1,
        maxRpcTimeoutMillis: CALL_TIMEOUT_MS,
        totalTimeoutMillis: TOTAL_TIMEOUT_MS,
      },
    },
    ...(signal === undefined ? {} : { signal }),
  };
}

/** For a write that must not be sent twice: a caller without an answer reads the state instead. */
export function onceOptions(signal: AbortSignal | undefined) {
  const { retry, ...options } = callOptions(signal);
  return { ...options, retry: { ...retry, retryCodes: [] } };
}

/** REST instead of gRPC: half the cold start, and one protocol for the real API and its stand-in. */
export function clientOptions(endpoint: URL | string | undefined) {
  if (endpoint === undefined) return { fallback: true };
  const { protocol, hostname, port } = new URL(endpoint);
  const scheme = protocol.slice(0, -1);
  const defaultPort = scheme === "http" ? 80 : 443;
  return { fallback: true, protocol: scheme, apiEndpoint: hostname, port: Number(port) || defaultPort };
}

/** The attempt in words for a message: "list the clusters of project p". */
export interface GoogleCall {
  readonly attempt: string;
  /** The IAM permission that the call needs, and the resource that it is granted on. */
  readonly permission: string;
  readonly resource: string;
  readonly fields: ErrorFields;
}

/** The error of a Google client in Meshjoin's words. */
export function fromGoogleError(error: unknown, call: GoogleCall): MeshjoinError {
  const status = grpcCode(error);
  const code = isApiDisabled(error) ? "ServiceDisabled" : (CODES.get(status ?? GRPC.unknown) ?? "Unknown");
  const options = { code, fields: call.fields, cause: withoutRequest(error) };
  const failed = `could not ${call.attempt}`;
  if (status === undefined) return beforeAnyAnswer(error, call);
  if (TRANSIENT.has(status)) {
    return new UnavailableError(`${failed}: ${reasonOf(error)}`, options);
  }
  if (status === GRPC.invalidArgument) {
    return new InputError(`${failed}: ${reasonOf(error)}`, {
      ...options,
      cure: "correct the name",
      field: call.resource,
    });
  }
  const { why, cure } = describeRefusal(error, call);
  return new RefusedError(`${failed}: ${why}`, { ...options, cure });
}

/** Missing credentials, which only an operator can set, or a silent server, also one of tokens. */
export function beforeAnyAnswer(error: unknown, call: Pick<GoogleCall, "attempt" | "fields">): MeshjoinError {
  const options = { fields: call.fields, cause: withoutRequest(error) };
  const failed = `could not ${call.attempt}`;
  if (reasonOf(error).includes("default credentials")) {
    return new RefusedError(`${failed}: there are no Google credentials`, {
      ...options,
      code: "NoCredentials",
      cure: "run as a service account, or run gcloud auth application-default login",
    });
  }
  return new UnavailableError(`${failed}: ${reasonOf(error)}`, {
    ...options,
    code: "Unavailable",
  });
}

export interface GoogleRefusal {
  readonly why: string;
  readonly cure: string;
}

export function describeRefusal(
  error: unknown,
  { permission, resource }: Pick<GoogleCall, "permission" | "resource">,
): GoogleRefusal {
  const status = grpcCode(error);
  if (isApiDisabled(error)) {
    return { why: "the API is not enabled in that project", cure: "run gcloud services enable for it" };
  }
  if (status === GRPC.permissionDenied) {
    return {
      why: `permission ${permission} is missing on ${resource}`,
      cure: `grant a role that has ${permission}`,
    };
  }
  if (status === GRPC.unauthenticated) {
    return { why: "the credentials are not accepted", cure: "check the service account that this runs as" };
  }
  if (status === GRPC.notFound) return { why: `${resource} does not exist`, cure: "correct its name" };
  return { why: reasonOf(error), cure: "correct what the message names" };
}

/** Google reports it as PERMISSION_DENIED, but no role mends it. */
export function isApiDisabled(error: unknown): boolean {
  return property(error, "reason") === "SERVICE_DISABLED";
}

export function grpcCode(error: unknown): number | undefined {
  const code = property(error, "code");
  return typeof code === "number" ? code : undefined;
}

/** A client that gives up lists all its earlier errors; the last one is enough. */
const PREVIOUS_ERRORS = /\.?\s*: Previous errors : \[.*$/s;

export function reasonOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message.replace(PREVIOUS_ERRORS, "").replace(/\.\s*$/, "");
}

/** The clients' errors hold the whole request with its Authorization header, which must not reach a log. */
export function withoutRequest(error: unknown): Error {
  const cause = new Error(reasonOf(error));
  if (error instanceof Error && error.stack !== undefined) cause.stack = error.stack;
  return cause;
}

/** A property of an unknown value; undefined if the value is no object. */
export function property(error: unknown, name: string): unknown {
  return typeof error === "object" && error !== null ? Reflect.get(error, name) : undefined;
}

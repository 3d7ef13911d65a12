import { pino, stdTimeFunctions } from "pino";
import { MeshjoinError } from "./errors.ts";
import { REDACTED, scrub } from "./scrub.ts";
import { VERSION } from "./version.ts";

type Fields = Readonly<Record<string, unknown>>;

/** A constant message, and the variable parts as fields; an error goes under `err`. */
export interface Logger {
  debug(fields: Fields, message: string): void;
  info(fields: Fields, message: string): void;
  warn(fields: Fields, message: string): void;
  error(fields: Fields, message: string): void;
  child(fields: Fields): Logger;
}

/** https://cloud.google.com/logging/docs/reference/v2/rest/v2/LogEntry#LogSeverity */
const SEVERITY: Readonly<Record<string, string>> = {
  trace: "DEBUG",
  debug: "DEBUG",
  info: "INFO",
  warn: "WARNING",
  error: "ERROR",
  fatal: "CRITICAL",
};

/** Names of fields that hold secrets, at any depth. */
const SECRET_FIELDS: ReadonlySet<string> = new Set([
  "token",
  "key",
  "privateKey",
  "kubeconfig",
  "authorization",
  "data",
  "stringData",
]);
const CAUSES_MAX = 5;

/**
 * The fields of an error for the log. Foreign errors carry whole requests with headers as enumerable fields,
 * so only name, message and code are taken from them, and the stack, because they are unexpected.
 */
export function describeError(error: unknown, depth = 0): Fields {
  if (!(error instanceof Error)) return { message: String(error) };
  const ours = error instanceof MeshjoinError;
  const code = "code" in error && ["string", "number"].includes(typeof error.code) ? error.code : undefined;
  const cause = error.cause === undefined || depth >= CAUSES_MAX ? undefined : error.cause;
  return {
    name: error.name,
    ...(code === undefined ? {} : { code }),
    message: error.message,
    ...(ours
      ? { cure: error.cure, retryable: error.retryable, fields: error.fields }
      : { stack: error.stack }),
    ...(error instanceof AggregateError && depth < CAUSES_MAX
      ? { errors: error.errors.map((each: unknown) => describeError(each, depth + 1)) }
      : {}),
    ...(cause === undefined ? {} : { cause: describeError(cause, depth + 1) }),
  };
}

/**
 * The fields that let Cloud Logging show a line under its request;
 * https://cloud.google.com/trace/docs/trace-log-integration. `traceparent` as in
 * https://www.w3.org/TR/trace-context/; no fields for any other text.
 */
export function traceFields(traceparent: unknown, project: string | undefined): Fields {
  const groups = /^[\da-f]{2}-(?<trace>[\da-f]{32})-(?<span>[\da-f]{16})-(?<flags>[\da-f]{2})/.exec(
    typeof traceparent === "string" ? traceparent : "",
  )?.groups;
  if (groups === undefined || project === undefined || project === "") return {};
  return {
    "logging.googleapis.com/trace": `projects/${project}/traces/${groups["trace"]}`,
    "logging.googleapis.com/spanId": groups["span"],
    "logging.googleapis.com/trace_sampled": (Number.parseInt(groups["flags"] ?? "0", 16) & 1) === 1,
  };
}

/**
 * Labels of a log entry, which Cloud Logging indexes;
 * https://cloud.google.com/logging/docs/structured-logging#special-payload-fields. A finding or an error
 * names its own cluster, which may be a peer of the run's.
 */
function labelsOf({ meshId, clusterId, finding, err }: Fields): Fields {
  const ofFinding =
    typeof finding === "object" && finding !== null ? Reflect.get(finding, "clusterId") : undefined;
  const ofError = err instanceof MeshjoinError ? err.fields["clusterId"] : undefined;
  const labels = Object.entries({ mesh_id: meshId, cluster_id: ofFinding ?? ofError ?? clusterId }).filter(
    ([, value]) => typeof value === "string",
  );
  return labels.length === 0 ? {} : { "logging.googleapis.com/labels": Object.fromEntries(labels) };
}

/** On the finished line: pino's paths name one depth each and stop where a serializer begins. */
function withoutSecretFields(line: string): string {
  const redacted: unknown = JSON.parse(line, (name, value: unknown) =>
    SECRET_FIELDS.has(name) ? REDACTED : value,
  );
  return `${JSON.stringify(redacted)}\n`;
}

/**
 * Lines of JSON as Cloud Logging ingests them. Written through `process.stdout`, because the Functions
 * Framework adds the execution ID there. Every line passes the scrubber as a whole.
 */
export function createLogger(
  stream: { write(line: string): unknown } = process.stdout,
  level: "debug" | "info" | "silent" = "debug",
): Logger {
  return pino(
    {
      level,
      base: { version: VERSION },
      messageKey: "message",
      timestamp: stdTimeFunctions.isoTime,
      mixin: (line, _level, logger) => labelsOf({ ...logger.bindings(), ...line }),
      formatters: { level: (label) => ({ severity: SEVERITY[label] ?? "DEFAULT" }) },
      serializers: { err: describeError },
      hooks: { streamWrite: (line) => scrub(withoutSecretFields(line)) },
    },
    { write: (line: string) => void stream.write(line) },
  );
}

import type { ErrorCode } from "./core/answers/error-codes.ts";

/** Plain facts beside a message: names and numbers, never key material. */
export type ErrorFields = Readonly<Record<string, string | number | boolean>>;

export interface ErrorOptions {
  readonly code: ErrorCode;
  /** How a person mends it: a command, or words in lower case without a final period. */
  readonly cure?: string | undefined;
  readonly cause?: unknown;
  readonly fields?: ErrorFields;
}

/**
 * Every error that Meshjoin raises itself. After a `retryable` one a trigger asks for the event again; any
 * other it acknowledges with an alert. A message starts in lower case, has no final period and names the
 * fault. The cure stands in its own field, so that each place can show both in its way. An error without a
 * cure is retryable: time is its cure.
 */
export abstract class MeshjoinError extends Error {
  abstract readonly retryable: boolean;
  readonly code: ErrorCode;
  readonly cure: string | undefined;
  readonly fields: ErrorFields;

  constructor(message: string, options: ErrorOptions) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = new.target.name;
    this.code = options.code;
    this.cure = options.cure;
    this.fields = options.fields ?? {};
  }
}

/** The environment variables are wrong. All faults at once, one per line. */
export class ConfigError extends MeshjoinError {
  readonly retryable = false;
}

/** A caller sent wrong input; `field` names the part. */
export class InputError extends MeshjoinError {
  readonly retryable = false;
  readonly field: string;

  constructor(message: string, options: ErrorOptions & { field: string }) {
    super(message, options);
    this.field = options.field;
  }
}

/** No certificate can be issued with this root (or this request), and asking again will not help. */
export class RootError extends MeshjoinError {
  readonly retryable = false;
}

/** The other side is gone, slow or overloaded: the same call may go through later. */
export class UnavailableError extends MeshjoinError {
  readonly retryable = true;
}

/** The other side understood and said no: credentials, permissions, a rejected object. */
export class RefusedError extends MeshjoinError {
  readonly retryable = false;
}

/** Another writer was first: `AlreadyExists` (create), `Conflict` (compare-and-set), `Stale` (etag). */
export class ConflictError extends MeshjoinError {
  readonly retryable = true;
}

/** Nothing failed; the work needs more time, so the same request should come again. */
export class NotReadyError extends MeshjoinError {
  readonly retryable = true;
}

/**
 * A fault of Meshjoin's own, or data that it cannot read. The message names only the kind of the cause,
 * because the cause may quote that data.
 */
class UnexpectedError extends MeshjoinError {
  readonly retryable = false;
}

/**
 * A MeshjoinError with the cluster's ID, unless it names a cluster already. Any other error becomes
 * UnexpectedError `Unexpected` of the cluster. `doing` completes "an unexpected error while …".
 */
export function asMeshjoinError(error: unknown, clusterId: string, doing: string): MeshjoinError {
  if (error instanceof MeshjoinError) return ofCluster(error, clusterId);
  const kind = error instanceof Error ? error.name : typeof error;
  return new UnexpectedError(`an unexpected error (${kind}) while ${doing}`, {
    code: "Unexpected",
    cure: "see the log, which holds its cause",
    cause: error,
    fields: { clusterId },
  });
}

/** A copy: several members may have met the same error. */
function ofCluster(error: MeshjoinError, clusterId: string): MeshjoinError {
  if (error.fields["clusterId"] !== undefined) return error;
  const fields: ErrorFields = { ...error.fields, clusterId };
  return Object.create(error, { fields: { value: fields, enumerable: true } });
}

/** Message and cure on two lines, for a terminal or a page of plain text. */
export function inWords(error: unknown): string {
  if (!(error instanceof MeshjoinError)) return error instanceof Error ? error.message : String(error);
  const cure = error.cure ?? (error.retryable ? "try again" : undefined);
  return cure === undefined ? error.message : `${error.message}\ncure: ${cure}`;
}

export function isRetryable(error: unknown): boolean {
  return !(error instanceof MeshjoinError) || error.retryable;
}

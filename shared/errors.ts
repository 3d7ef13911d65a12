import type { ErrorCode } from "./core/answers/error-codes.ts";

/** Plain facts beside a message: names and numbers, never key material. */
export type ErrorFields = Readonly<Record<string, string | number | boolean>>;

export interface ErrorOptions {
  readonly code: ErrorCode;
  /** What mends it, where a person can: a command, or words in lower case without a final period. */
  readonly cure?: string | undefined;
  readonly cause?: unknown;
  readonly fields?: ErrorFields;
}

/**
 * Every error that Meshjoin raises itself. `retryable` decides what a trigger does with it: thrown, so that it
 * is delivered again, or acknowledged with an alert. Messages start in lower case, have no final period and say what is wrong;
 * what mends it stands beside them, so that each place can show both in its own way. An error without a cure is retryable: time is
 * its cure.
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

/** What a caller sent is wrong; `field` names the part. */
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

/** Somebody else was faster: `AlreadyExists` for a create, `Conflict` for a compare-and-set, `Stale` for an etag. */
export class ConflictError extends MeshjoinError {
  readonly retryable = true;
}

/** All is on its way and needs time; come again. */
export class NotReadyError extends MeshjoinError {
  readonly retryable = true;
}

/**
 * A fault of Meshjoin's own, or data that no part of it knows how to read. Its message names the kind of the cause alone, which may
 * quote what it could not read.
 */
class UnexpectedError extends MeshjoinError {
  readonly retryable = false;
}

/**
 * The same error, of that cluster if it names none, if it is one of ours; any other becomes UnexpectedError `Unexpected`, of that
 * cluster. `doing` completes "an unexpected error while …".
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

/** The error itself stays as it is: several members may have met the same one. */
function ofCluster(error: MeshjoinError, clusterId: string): MeshjoinError {
  if (error.fields["clusterId"] !== undefined) return error;
  const fields: ErrorFields = { ...error.fields, clusterId };
  return Object.create(error, { fields: { value: fields, enumerable: true } });
}

/** For a terminal or a page of plain text: what is wrong, and beneath it what mends it. */
export function inWords(error: unknown): string {
  if (!(error instanceof MeshjoinError)) return error instanceof Error ? error.message : String(error);
  const cure = error.cure ?? (error.retryable ? "try again" : undefined);
  return cure === undefined ? error.message : `${error.message}\ncure: ${cure}`;
}

export function isRetryable(error: unknown): boolean {
  return !(error instanceof MeshjoinError) || error.retryable;
}

import { ConflictError, type MeshjoinError, RefusedError, UnavailableError } from "../../../shared/errors.ts";

/** The answers of an API server that are no success, as the adapter tells them; the contract suite compares both. */

export const alreadyExists = (what: string): MeshjoinError =>
  new ConflictError(`create ${what}: it exists; it is read and judged`, { code: "AlreadyExists" });

export const conflict = (what: string): MeshjoinError =>
  new ConflictError(`${what}: it moved on; the event is delivered again`, { code: "Conflict" });

export const notFound = (what: string): MeshjoinError =>
  new ConflictError(`${what}: not found; the event is delivered again`, { code: "NotFound" });

export const namespaceTerminating = (what: string): MeshjoinError =>
  new ConflictError(`${what}: its namespace is being deleted; wait until it is gone`, {
    code: "NamespaceTerminating",
  });

export const fieldConflict = (what: string, managers: readonly string[]): MeshjoinError =>
  new ConflictError(`apply ${what}: fields are not ours; let Meshjoin own them`, {
    code: "FieldConflict",
    fields: { managers: managers.join(", ") },
  });

export const unreachable = (what: string): MeshjoinError =>
  new UnavailableError(`${what}: connection refused; check that the API server can be reached`, {
    code: "ApiServerUnreachable",
  });

export const forbidden = (what: string): MeshjoinError =>
  new RefusedError(`${what}: forbidden; grant Meshjoin's service account the permission`, {
    code: "Forbidden",
  });

export const readerAccountMissing = (what: string): MeshjoinError =>
  new RefusedError(`${what}: there is no such account; install Istio's base chart`, {
    code: "ReaderAccountMissing",
  });

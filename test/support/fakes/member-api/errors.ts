import {
  ConflictError,
  type MeshjoinError,
  NotReadyError,
  RefusedError,
  UnavailableError,
} from "../../../../shared/errors.ts";

/**
 * The answers of an API server that are no success, as the adapter tells them; the contract suite compares
 * both.
 */

export const alreadyExists = (what: string): MeshjoinError =>
  new ConflictError(`create ${what}: it exists`, { code: "AlreadyExists" });

export const conflict = (what: string): MeshjoinError =>
  new ConflictError(`${what}: it moved on`, { code: "Conflict" });

export const notFound = (what: string): MeshjoinError =>
  new ConflictError(`${what}: not found`, { code: "NotFound" });

export const kindNotServed = (what: string): MeshjoinError =>
  new NotReadyError(`${what}: the API server does not serve this kind`, { code: "KindNotServed" });

export const namespaceTerminating = (what: string): MeshjoinError =>
  new ConflictError(`${what}: its namespace is being deleted`, {
    cure: "wait until it is gone",
    code: "NamespaceTerminating",
  });

export const fieldConflict = (what: string, managers: readonly string[]): MeshjoinError =>
  new ConflictError(`apply ${what}: fields are not ours`, {
    cure: "let Meshjoin own the fields, or take the mesh label off",
    code: "FieldConflict",
    fields: { managers: managers.join(", ") },
  });

export const unreachable = (what: string, clusterId: string): MeshjoinError =>
  new UnavailableError(`${what}: connection refused`, {
    cure: "if it lasts, check the cluster's health, its authorized networks and MESHJOIN_ACCESS_FUNCTION; Meshjoin tries again",
    code: "ApiServerUnreachable",
    fields: { clusterId },
  });

export const broken = (what: string): MeshjoinError =>
  new UnavailableError(`${what}: the server answered 500`, { code: "ApiServerError" });

export const forbidden = (what: string): MeshjoinError =>
  new RefusedError(`${what}: forbidden`, {
    cure: "grant Meshjoin's service account the permission that the message names",
    code: "Forbidden",
  });

export const readerAccountMissing = (what: string): MeshjoinError =>
  new RefusedError(`${what}: there is no such account`, {
    cure: "install it with Istio's base chart",
    code: "ReaderAccountMissing",
  });

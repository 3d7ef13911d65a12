import type { ErrorFields } from "../../../../../shared/errors.ts";

/**
 * `meta/v1` Status, as an API server refuses;
 * https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/status/
 */
export interface Refusal {
  readonly http: number;
  readonly reason: string;
  readonly details?: object;
}

/** In words alone, without a Status. */
export const NO_PATH: Refusal = { http: 404, reason: "NotFound" };

/** An error of the fake, of whose codes these few are an API server's. */
interface FakeError {
  readonly code: string;
  readonly fields: ErrorFields;
}

/** What an API server would have said for the fake to say this. */
export function refusalOf({ code, fields }: FakeError): Refusal {
  switch (code) {
    case "AlreadyExists":
      return { http: 409, reason: "AlreadyExists" };
    case "Conflict":
      return { http: 409, reason: "Conflict" };
    case "FieldConflict":
      return { http: 409, reason: "Conflict", details: { causes: managerConflicts(fields["managers"]) } };
    case "NotFound":
      return { http: 404, reason: "NotFound" };
    case "KindNotServed":
      return NO_PATH;
    case "ReaderAccountMissing":
      return { http: 404, reason: "NotFound", details: { kind: "serviceaccounts" } };
    case "NamespaceTerminating":
      return {
        http: 403,
        reason: "Forbidden",
        details: { causes: [{ reason: "NamespaceTerminating", message: "it is being terminated" }] },
      };
    case "Forbidden":
      return { http: 403, reason: "Forbidden" };
    case "Rejected":
      return { http: 422, reason: "Invalid" };
    default:
      return { http: 500, reason: "InternalError" };
  }
}

function managerConflicts(managers: unknown): object[] {
  return String(managers)
    .split(", ")
    .map((name) => ({ reason: "FieldManagerConflict", message: `conflict with "${name}" using v1` }));
}

export function statusBody({ http, reason, details }: Refusal, message: string): object {
  return {
    kind: "Status",
    apiVersion: "v1",
    metadata: {},
    status: "Failure",
    message,
    reason,
    ...(details === undefined ? {} : { details }),
    code: http,
  };
}

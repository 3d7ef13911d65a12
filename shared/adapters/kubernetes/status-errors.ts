import {
  ConflictError,
  type ErrorFields,
  type MeshjoinError,
  RefusedError,
  UnavailableError,
} from "../../errors.ts";

/** The parts of `meta/v1` Status that decisions rest on; everything else a server may send is not looked at. */
export interface Status {
  readonly reason?: string;
  readonly message?: string;
  readonly details?: {
    /** Of the object that the reason is about, in the plural. */
    readonly kind?: string;
    readonly causes?: readonly {
      readonly reason?: string;
      readonly type?: string;
      readonly message?: string;
    }[];
  };
}

/** What a non-2xx answer of an API server means. `what` is the request in words, such as `create Secret cacerts`. */
export function statusError(http: number, status: Status, what: string, fields: ErrorFields): MeshjoinError {
  const said = `${what}: ${status.message ?? `HTTP ${http}`}`;
  const causes = status.details?.causes ?? [];
  const causedBy = (type: string) => causes.some((cause) => (cause.reason ?? cause.type) === type);
  if (http === 409) return conflict(status, said, fields);
  if (http === 404) {
    const absent = status.details?.kind;
    return new ConflictError(`${said}; the event is delivered again`, {
      code: "NotFound",
      fields: absent === undefined ? fields : { ...fields, absent },
    });
  }
  if (http === 403 && causedBy("NamespaceTerminating")) {
    return new ConflictError(`${said}; wait until it is gone`, { code: "NamespaceTerminating", fields });
  }
  if (http === 401) {
    // A webhook of the API server asks Google who is calling, and may have no answer for a moment.
    return new UnavailableError(
      `${said}; the API server does not accept the access token now, check the cluster's IAM if it lasts`,
      { code: "Unauthorized", fields },
    );
  }
  if (http === 403) {
    return new RefusedError(`${said}; grant Meshjoin's service account the permission`, {
      code: "Forbidden",
      fields,
    });
  }
  if (http === 429 || http >= 500) {
    return new UnavailableError(`${said}; it is tried again`, { code: "ApiServerError", fields });
  }
  return new RefusedError(`${said}; correct what is applied`, {
    code: "Rejected",
    fields: { ...fields, reason: status.reason ?? `HTTP ${http}` },
  });
}

function conflict(status: Status, said: string, fields: ErrorFields): ConflictError {
  if (status.reason === "AlreadyExists") {
    return new ConflictError(`${said}; it is read and judged`, { code: "AlreadyExists", fields });
  }
  const managers = (status.details?.causes ?? []).flatMap((cause) =>
    (cause.reason ?? cause.type) === "FieldManagerConflict" ? [cause.message ?? ""] : [],
  );
  if (managers.length === 0) {
    return new ConflictError(`${said}; the event is delivered again`, { code: "Conflict", fields });
  }
  const named = [
    ...new Set(managers.flatMap((message) => /conflict with "([^"]+)"/.exec(message)?.[1] ?? [])),
  ];
  return new ConflictError(`${said}; let Meshjoin own the fields, or take the mesh label off`, {
    code: "FieldConflict",
    fields: { ...fields, managers: named.join(", ") },
  });
}

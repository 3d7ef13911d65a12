import {
  ConflictError,
  type ErrorFields,
  type MeshjoinError,
  RefusedError,
  UnavailableError,
} from "../../errors.ts";

/** The parts of `meta/v1` Status that decisions rest on; everything else a server may send is not looked at. */
export interface KubernetesStatus {
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
export function statusError(
  http: number,
  status: KubernetesStatus,
  what: string,
  fields: ErrorFields,
): MeshjoinError {
  const said = `${what}: ${status.message ?? `HTTP ${http}`}`;
  const causes = status.details?.causes ?? [];
  const causedBy = (type: string) => causes.some((cause) => (cause.reason ?? cause.type) === type);
  if (http === 409) return conflict(status, said, fields);
  if (http === 404) {
    const absent = status.details?.kind;
    return new ConflictError(said, {
      code: "NotFound",
      fields: absent === undefined ? fields : { ...fields, absent },
    });
  }
  if (http === 403 && causedBy("NamespaceTerminating")) {
    return new ConflictError(said, { code: "NamespaceTerminating", cure: "wait until it is gone", fields });
  }
  if (http === 401) {
    // A webhook of the API server asks Google who is calling, and may have no answer for a moment.
    return new UnavailableError(`${said}: it does not accept the access token now`, {
      code: "Unauthorized",
      cure: "check the cluster's IAM if it lasts; it is tried again",
      fields,
    });
  }
  if (http === 403) {
    return new RefusedError(said, {
      code: "Forbidden",
      cure: "grant Meshjoin's service account what the message names",
      fields,
    });
  }
  if (http === 429 || http >= 500) {
    return new UnavailableError(said, { code: "ApiServerError", fields });
  }
  return new RefusedError(said, {
    code: "Rejected",
    cure: "mend what the message names: often it is an admission webhook, or a policy of the cluster",
    fields: { ...fields, reason: status.reason ?? `HTTP ${http}` },
  });
}

function conflict(status: KubernetesStatus, said: string, fields: ErrorFields): ConflictError {
  if (status.reason === "AlreadyExists") {
    return new ConflictError(said, { code: "AlreadyExists", fields });
  }
  const managers = (status.details?.causes ?? []).flatMap((cause) =>
    (cause.reason ?? cause.type) === "FieldManagerConflict" ? [cause.message ?? ""] : [],
  );
  if (managers.length === 0) {
    return new ConflictError(said, { code: "Conflict", fields });
  }
  const named = [
    ...new Set(managers.flatMap((message) => /conflict with "([^"]+)"/.exec(message)?.[1] ?? [])),
  ];
  return new ConflictError(said, {
    code: "FieldConflict",
    cure: "let Meshjoin own the fields, or take the mesh label off",
    fields: { ...fields, managers: named.join(", ") },
  });
}

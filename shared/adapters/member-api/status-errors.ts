import {
  ConflictError,
  type ErrorFields,
  type MeshjoinError,
  NotReadyError,
  RefusedError,
  UnavailableError,
} from "../../errors.ts";

/** The parts of `meta/v1` Status that Meshjoin decides by. */
export interface KubernetesStatus {
  readonly reason?: string;
  readonly message?: string;
  readonly details?: {
    /** The plural kind of the object that the reason is about. */
    readonly kind?: string;
    readonly causes?: readonly {
      readonly reason?: string;
      readonly type?: string;
      readonly message?: string;
    }[];
  };
}

/** The error of a non-2xx answer. `what` is the request in words, such as `create Secret cacerts`. */
export function statusError(
  http: number,
  status: KubernetesStatus,
  what: string,
  fields: ErrorFields,
): MeshjoinError {
  const message = `${what}: ${status.message ?? `HTTP ${http}`}`;
  const causes = status.details?.causes ?? [];
  const causedBy = (type: string) => causes.some((cause) => (cause.reason ?? cause.type) === type);
  if (http === 409) return conflict(status, message, fields);
  // Of a path that it serves, it names what is absent; another gets the text of an HTTP server alone.
  if (http === 404 && status.reason === undefined) {
    return new NotReadyError(`${what}: the API server does not serve this kind`, {
      code: "KindNotServed",
      fields,
    });
  }
  if (http === 404) {
    const absent = status.details?.kind;
    return new ConflictError(message, {
      code: "NotFound",
      fields: absent === undefined ? fields : { ...fields, absent },
    });
  }
  if (http === 403 && causedBy("NamespaceTerminating")) {
    return new ConflictError(message, {
      code: "NamespaceTerminating",
      cure: "wait until it is gone",
      fields,
    });
  }
  if (http === 401) {
    // A webhook of the API server asks Google for the caller, and may get no answer for a moment.
    return new UnavailableError(`${message}: it does not accept the access token now`, {
      code: "Unauthorized",
      cure: "if it lasts, check the cluster's IAM; Meshjoin tries again",
      fields,
    });
  }
  if (http === 403) {
    return new RefusedError(message, {
      code: "Forbidden",
      cure: "grant Meshjoin's service account the permission that the message names",
      fields,
    });
  }
  if (http === 429 || http >= 500) {
    return new UnavailableError(message, { code: "ApiServerError", fields });
  }
  return new RefusedError(message, {
    code: "Rejected",
    cure: "mend the cause that the message names, often an admission webhook or a policy of the cluster",
    fields: { ...fields, reason: status.reason ?? `HTTP ${http}` },
  });
}

function conflict(status: KubernetesStatus, message: string, fields: ErrorFields): ConflictError {
  if (status.reason === "AlreadyExists") {
    return new ConflictError(message, { code: "AlreadyExists", fields });
  }
  const managers = (status.details?.causes ?? []).flatMap((cause) =>
    (cause.reason ?? cause.type) === "FieldManagerConflict" ? [cause.message ?? ""] : [],
  );
  if (managers.length === 0) {
    return new ConflictError(message, { code: "Conflict", fields });
  }
  const named = [...new Set(managers.flatMap((text) => /conflict with "([^"]+)"/.exec(text)?.[1] ?? []))];
  return new ConflictError(message, {
    code: "FieldConflict",
    cure: "let Meshjoin own the fields, or take the mesh label off",
    fields: { ...fields, managers: named.join(", ") },
  });
}

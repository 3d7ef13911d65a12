import * as z from "zod/mini";
import type { ReconcileRequest } from "../../shared/core/request.ts";
import { InputError } from "../../shared/errors.ts";

/** More is no request of anybody who means well. */
export const BODY_MAX = 64 * 1024;

/** Findings that a run may be told to act on. */
const CONFIRMABLE = ["MassLeave", "IstioVersionDiffers"] as const;

const clusterId = z.string().check(z.regex(/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/, "use a cluster ID: cn-…"));

const confirmable = z.enum(CONFIRMABLE, `use ${CONFIRMABLE.join(", ")}`);
const scope = z.union(
  [z.literal("mesh"), z.strictObject({ clusterId })],
  'use "mesh" or { "clusterId": "cn-…" }',
);

/** The body of `POST /sync`; everything may be left out. */
const SYNC_BODY = z.strictObject({
  scope: z.optional(scope),
  dryRun: z.optional(z.boolean("use true or false")),
  deep: z.optional(z.boolean("use true or false")),
  confirm: z.optional(z.array(confirmable, `use a list of ${CONFIRMABLE.join(", ")}`)),
});

export interface SyncOrder {
  readonly request: ReconcileRequest;
  readonly dryRun: boolean;
}

/** The query of `GET /plan`. */
const PLAN_QUERY = z.strictObject({
  clusterId: z.optional(clusterId),
  confirm: z.optional(confirmable),
});

/** Fails with InputError, which names the first field at fault. */
export function parseSync(body: Buffer, contentType: string | undefined): SyncOrder {
  if (!/^application\/json(?:;|$)/.test(contentType ?? "")) {
    throw new InputError("the body is not said to be JSON; send content-type: application/json", {
      code: "UnsupportedMediaType",
      field: "content-type",
    });
  }
  const {
    scope: where = "mesh",
    dryRun = false,
    deep = false,
    confirm = [],
  } = parse(SYNC_BODY, parseJson(body));
  return { request: { scope: where, reason: "sync", confirm, deep, rollOut: true }, dryRun };
}

/** Fails with InputError, which names the parameter at fault. */
export function parsePlanQuery(query: URLSearchParams): ReconcileRequest {
  const { clusterId: id, confirm } = parse(PLAN_QUERY, Object.fromEntries(query));
  return {
    scope: id === undefined ? "mesh" : { clusterId: id },
    reason: "plan",
    confirm: confirm === undefined ? [] : [confirm],
  };
}

function parseJson(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString("utf8"));
  } catch {
    throw new InputError("the body is not JSON; send an object", { code: "InvalidInput", field: "body" });
  }
}

function parse<T>(schema: z.ZodMiniType<T>, value: unknown): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw inputError(issue);
}

function inputError(issue: z.core.$ZodIssue | undefined): InputError {
  const path = issue?.path.join(".") ?? "";
  const unknown = issue?.code === "unrecognized_keys" ? issue.keys[0] : undefined;
  const field = unknown === undefined ? path : [path, unknown].filter((part) => part !== "").join(".");
  const message =
    unknown === undefined
      ? `${field || "body"} is wrong: ${issue?.message ?? "correct it"}`
      : `${field} is unknown; remove it`;
  return new InputError(message, { code: "InvalidInput", field: field || "body" });
}

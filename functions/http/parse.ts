import * as z from "zod/mini";
import { InputError } from "../../shared/errors.ts";

export const JSON_TYPE = "application/json";

export const clusterId = z
  .string()
  .check(z.regex(/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/, "use a cluster ID: cn-…"));

/** Fails with InputError, which says what to send. */
export function checkContentType(contentType: string | undefined, wanted: string): void {
  if (contentType?.split(";")[0]?.trim().toLowerCase() === wanted) return;
  throw new InputError(`the body is not said to be ${wanted}; send content-type: ${wanted}`, {
    code: "UnsupportedMediaType",
    field: "content-type",
  });
}

/** Fails with InputError. */
export function parseJson(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString("utf8"));
  } catch {
    throw new InputError("the body is not JSON; send an object", { code: "InvalidInput", field: "body" });
  }
}

/** Fails with InputError, which names the first field at fault, and never repeats its value. */
export function parse<T>(schema: z.ZodMiniType<T>, value: unknown): T {
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

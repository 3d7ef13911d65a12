import * as z from "zod/mini";
import { InputError } from "../../shared/errors.ts";

export const clusterIdSchema = z
  .string("use a cluster ID: cn-…")
  .check(z.regex(/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/, "use a cluster ID: cn-…"));

/** The scope of a run: the whole mesh, or one cluster. */
export const scopeSchema = z.union(
  [z.literal("mesh"), z.strictObject({ clusterId: clusterIdSchema })],
  'use "mesh" or { "clusterId": "cn-…" }',
);

/** Fails with InputError, which names the first field at fault, and never repeats its value. */
export function parse<T>(schema: z.ZodMiniType<T>, value: unknown): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw inputError(issue);
}

/** The field of an issue, empty for the value as a whole, and whether the schema lacks that field. */
export function fieldOf(issue: z.core.$ZodIssue | undefined): {
  readonly field: string;
  readonly isUnknown: boolean;
} {
  const unknown = issue?.code === "unrecognized_keys" ? issue.keys[0] : undefined;
  const path = [...(issue?.path ?? []), ...(unknown === undefined ? [] : [unknown])];
  return { field: path.map(String).join("."), isUnknown: unknown !== undefined };
}

function inputError(issue: z.core.$ZodIssue | undefined): InputError {
  const { field, isUnknown } = fieldOf(issue);
  const name = field || "body";
  const [message, cure] = isUnknown
    ? [`${name} is unknown`, "remove it"]
    : [`${name} is wrong`, (field && issue?.message) || "send an object"];
  return new InputError(message, { code: "InvalidInput", cure, field: name });
}

import * as z from "zod/mini";
import { JSON_TYPE } from "../../../functions/http/body.ts";

export type Json = Readonly<Record<string, unknown>>;

export function reference(name: string): { readonly $ref: string } {
  return { $ref: `#/components/schemas/${name}` };
}

/** An answer in JSON; `schema` is a name from `schemasOf`. */
export function answered(description: string, schema: string): Json {
  return { description, content: { [JSON_TYPE]: { schema: reference(schema) } } };
}

export function laterAnswer(description: string): Json {
  return {
    ...answered(description, "Error"),
    headers: { "Retry-After": { description: "seconds", schema: { type: "integer" } } },
  };
}

export function jsonBody(schema: z.ZodMiniType): Json {
  return { required: true, content: { [JSON_TYPE]: { schema: schemaOf(schema) } } };
}

/** Without `$schema` and `$id`, which only a document of its own has. */
export function schemaOf(schema: z.ZodMiniType): Json {
  return withoutMeta(z.toJSONSchema(schema));
}

/** `components.schemas` by name, with references among them. */
export function schemasOf(outputs: Readonly<Record<string, z.ZodMiniType>>): Json {
  const named = z.registry<{ id: string }>();
  for (const [id, schema] of Object.entries(outputs)) named.add(schema, { id });
  const { schemas } = z.toJSONSchema(named, { uri: (id) => reference(id).$ref });
  return Object.fromEntries(Object.entries(schemas).map(([name, schema]) => [name, withoutMeta(schema)]));
}

function withoutMeta({ $schema: _, $id: __, ...schema }: Json): Json {
  return schema;
}

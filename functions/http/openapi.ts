import * as z from "zod/mini";
import { PLAN_QUERY, SYNC_BODY } from "./input.ts";
import { OUTPUTS } from "./output.ts";

type Json = Readonly<Record<string, unknown>>;

const JSON_TYPE = "application/json";
const reference = (name: string) => ({ $ref: `#/components/schemas/${name}` });

function answered(description: string, schema: keyof typeof OUTPUTS): Json {
  return { description, content: { [JSON_TYPE]: { schema: reference(schema) } } };
}

const refusals = {
  "400": answered("the input is wrong: `field` names where", "Error"),
  "500": answered("something that asking again does not mend", "Error"),
  "503": {
    ...answered("nothing can be said now", "Error"),
    headers: { "Retry-After": { description: "seconds", schema: { type: "integer" } } },
  },
};

/** The JSON part of the function `sync-mesh`, as OpenAPI 3.1, from the schemas that it parses with. */
export function openApi(): Json {
  const outputs = z.registry<{ id: string }>();
  for (const [id, schema] of Object.entries(OUTPUTS)) outputs.add(schema, { id });
  const { schemas } = z.toJSONSchema(outputs, { uri: (id) => reference(id).$ref });
  return {
    openapi: "3.1.0",
    info: {
      title: "Meshjoin, sync-mesh",
      version: "v1",
      description: "The mesh over HTTP. Behind IAM: send an identity token for the function's URL.",
    },
    paths: {
      "/status": {
        get: {
          operationId: "status",
          summary: "Every member and every pair as they are",
          description: "Kept for 15 s, unless asked with `Cache-Control: no-cache`.",
          responses: { "200": answered("the mesh", "Status"), ...refusals },
        },
      },
      "/plan": {
        get: {
          operationId: "plan",
          summary: "What a sync would do; nothing is written",
          parameters: parametersOf(withoutMeta(z.toJSONSchema(PLAN_QUERY))),
          responses: { "200": answered("the plan", "Plan"), ...refusals },
        },
      },
      "/sync": {
        post: {
          operationId: "sync",
          summary: "Make the mesh what it should be",
          requestBody: {
            required: true,
            content: { [JSON_TYPE]: { schema: withoutMeta(z.toJSONSchema(SYNC_BODY)) } },
          },
          responses: {
            "200": {
              description: "done; with `dryRun` the plan",
              content: { [JSON_TYPE]: { schema: { anyOf: [reference("Summary"), reference("Plan")] } } },
            },
            "202": answered("more is left to do: send it again later", "Summary"),
            "207": answered("something failed that asking again does not mend", "Summary"),
            ...refusals,
            "413": answered("the body is too large", "Error"),
          },
        },
      },
    },
    components: {
      schemas: Object.fromEntries(
        Object.entries(schemas).map(([name, schema]) => [name, withoutMeta(schema)]),
      ),
    },
  };
}

/** `docs/reference/openapi.json`. */
export function renderOpenApi(): string {
  return `${JSON.stringify(openApi(), null, 2)}\n`;
}

/** What stands alone names its dialect and itself; a part of a document does not. */
function withoutMeta({ $schema: _, $id: __, ...schema }: Json): Json {
  return schema;
}

function parametersOf({ properties = {} }: Json): Json[] {
  return Object.entries(properties ?? {}).map(([name, schema]) => ({ name, in: "query", schema }));
}

import { DOCTOR_QUERY, PLAN_QUERY, SYNC_BODY } from "./input.ts";
import {
  answered,
  answeredLater,
  type Json,
  jsonBody,
  reference,
  schemaOf,
  schemasOf,
} from "./openapi-parts.ts";
import { OUTPUTS } from "./output.ts";
import { JSON_TYPE } from "./parse.ts";

const refusals = {
  "400": answered("the input is wrong: `field` names where", "Error"),
  "500": answered("something that asking again does not mend", "Error"),
  "503": answeredLater("nothing can be said now"),
};

/** The JSON part of the function `sync-mesh`, as OpenAPI 3.1, from the schemas that it parses with. */
export function openApi(): Json {
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
          parameters: parametersOf(schemaOf(PLAN_QUERY)),
          responses: { "200": answered("the plan", "Plan"), ...refusals },
        },
      },
      "/doctor": {
        get: {
          operationId: "doctor",
          summary: "What the functions' accounts can read and may do; nothing is written",
          description:
            "The reconciler looks for itself. What it could not look at in 45 s, and what other functions are allowed, is `unknown`.",
          parameters: parametersOf(schemaOf(DOCTOR_QUERY)),
          responses: { "200": answered("every check", "Diagnosis"), ...refusals },
        },
      },
      "/sync": {
        post: {
          operationId: "sync",
          summary: "Make the mesh what it should be",
          description: "`dryRun` answers the plan, and writes nothing; it is refused together with `deep`.",
          requestBody: jsonBody(SYNC_BODY),
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
    components: { schemas: schemasOf(OUTPUTS) },
  };
}

function parametersOf({ properties = {} }: Json): Json[] {
  return Object.entries(properties ?? {}).map(([name, schema]) => ({ name, in: "query", schema }));
}

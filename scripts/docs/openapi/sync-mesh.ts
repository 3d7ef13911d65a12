import { JSON_TYPE } from "../../../functions/http/body.ts";
import { DOCTOR_QUERY } from "../../../functions/http/doctor-query.ts";
import { PLAN_QUERY, SYNC_BODY } from "../../../functions/sync-mesh/input.ts";
import { answered, type Json, jsonBody, laterAnswer, reference, schemaOf, schemasOf } from "./parts.ts";
import { OUTPUTS } from "./sync-mesh-answers.ts";

const refusals = {
  "400": answered("the input is wrong: `field` names where", "Error"),
  "500": answered("an error that asking again does not mend", "Error"),
  "503": laterAnswer("no answer now: send it again later"),
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
          summary: "The present state of every member and every pair",
          description: "Kept for 15 s, unless asked with `Cache-Control: no-cache`.",
          responses: { "200": answered("the mesh", "Status"), ...refusals },
        },
      },
      "/plan": {
        get: {
          operationId: "plan",
          summary: "The actions of a sync; writes nothing",
          parameters: parametersOf(schemaOf(PLAN_QUERY)),
          responses: { "200": answered("the plan", "Plan"), ...refusals },
        },
      },
      "/doctor": {
        get: {
          operationId: "doctor",
          summary: "What the functions' accounts can read and may do; writes nothing",
          description:
            "The reconciler checks its own account and asks the other functions for theirs. A check that is not made in 45 s is `unknown`.",
          parameters: parametersOf(schemaOf(DOCTOR_QUERY)),
          responses: { "200": answered("every check", "Diagnosis"), ...refusals },
        },
      },
      "/sync": {
        post: {
          operationId: "sync",
          summary: "Reconcile the mesh",
          description: "`dryRun` answers the plan and writes nothing. It is refused together with `deep`.",
          requestBody: jsonBody(SYNC_BODY),
          responses: {
            "200": {
              description: "done; with `dryRun` the plan",
              content: { [JSON_TYPE]: { schema: { anyOf: [reference("Summary"), reference("Plan")] } } },
            },
            "202": answered("not complete: send it again later", "Summary"),
            "207": answered("an action failed, and asking again does not mend it", "Summary"),
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

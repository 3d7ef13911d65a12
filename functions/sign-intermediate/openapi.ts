import { answered, answeredLater, type Json, jsonBody, schemasOf } from "../http/openapi-parts.ts";
import { SIGN_BODY } from "./input.ts";
import { SIGN_OUTPUTS } from "./output.ts";

const refusals = {
  "403": answered(
    "two members would have the cluster ID, or the function itself was refused something",
    "Error",
  ),
  "422": answered("no certificate can be issued with this root", "Error"),
  "500": answered("nobody expected this", "Error"),
  "503": answeredLater("nothing can be said now"),
};

/** The function `sign-intermediate` as OpenAPI 3.1, from the schemas that it parses with. */
export function signOpenApi(): Json {
  return {
    openapi: "3.1.0",
    info: {
      title: "Meshjoin, sign-intermediate",
      version: "v1",
      description:
        "The root's key over HTTP. Behind IAM, for the functions that join and rotate alone: send an identity token for the function's URL.",
    },
    paths: {
      "/sign": {
        post: {
          operationId: "sign",
          summary: "An intermediate CA for a member, for the key of the request",
          description:
            "Subject, subject alternative name, path length and lifetime are the function's own; of the PKCS#10 request it takes nothing but the public key.",
          requestBody: jsonBody(SIGN_BODY),
          responses: {
            "200": answered("the certificate (PEM), and what the mesh trusts", "Issued"),
            "400": answered("the input is wrong: `field` names where", "Error"),
            "404": answered("the cluster is not listed, or no member, yet", "Error"),
            "413": answered("the body is too large", "Error"),
            ...refusals,
          },
        },
      },
      "/trust-bundle": {
        get: {
          operationId: "trustBundle",
          summary:
            "The certificates (PEM) of the claimed roots in version order, and the aliases that they stand for",
          responses: { "200": answered("what the mesh trusts", "TrustBundle"), ...refusals },
        },
      },
      "/check": {
        get: {
          operationId: "check",
          summary: "Whether it can sign now, and until when; nothing is signed",
          responses: { "200": answered("it can", "Fitness"), ...refusals },
        },
      },
      "/doctor": {
        get: {
          operationId: "doctor",
          summary: "What the function itself is allowed, under its own account",
          responses: {
            "200": answered("one check for each thing that was looked at", "Diagnosis"),
            ...refusals,
          },
        },
      },
    },
    components: { schemas: schemasOf(SIGN_OUTPUTS) },
  };
}

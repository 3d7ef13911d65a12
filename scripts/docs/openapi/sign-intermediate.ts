import { SIGN_BODY } from "../../../functions/sign-intermediate/input.ts";
import { answered, type Json, jsonBody, laterAnswer, schemasOf } from "./parts.ts";
import { SIGN_OUTPUTS } from "./sign-intermediate-answers.ts";

const refusals = {
  "403": answered(
    "two members would have the cluster ID, or the function itself was refused something",
    "Error",
  ),
  "422": answered("no certificate can be issued with this root", "Error"),
  "500": answered("an unexpected error: see the log of the function", "Error"),
  "503": laterAnswer("no answer now: send it again later"),
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
            "200": answered("the certificate (PEM), and the trust bundle", "Issued"),
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
          summary: "The certificates (PEM) of the claimed roots in version order, and their aliases",
          responses: { "200": answered("the trust bundle", "TrustBundle"), ...refusals },
        },
      },
      "/check": {
        get: {
          operationId: "check",
          summary: "Whether it can sign now, and until when; it signs nothing",
          responses: { "200": answered("it can", "Fitness"), ...refusals },
        },
      },
      "/doctor": {
        get: {
          operationId: "doctor",
          summary: "The checks of the function's own account",
          responses: {
            "200": answered("every check", "Diagnosis"),
            ...refusals,
          },
        },
      },
    },
    components: { schemas: schemasOf(SIGN_OUTPUTS) },
  };
}

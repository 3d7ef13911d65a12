import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { type LocalServer, listen } from "../../../sandbox/google/http/server.ts";
import { fromGoogleError } from "../../../shared/adapters/google-client.ts";
import { askGoogle } from "../../../shared/adapters/google-rest.ts";

const CALL = { attempt: "ask", permission: "a.b.get", resource: "project shop", fields: {} };

let answer: { status: number; body: string };
let server: LocalServer;

beforeEach(async () => {
  server = await listen((_, response) => void response.writeHead(answer.status).end(answer.body));
});
afterEach(() => server.close());

async function refused(): Promise<unknown> {
  const question = { url: server.url, accessToken: async () => "t", signal: undefined };
  return await askGoogle(question).then(
    () => "it was answered",
    (error: unknown) => fromGoogleError(error, CALL),
  );
}

describe("what a Google API refuses", () => {
  it.each([
    [400, "FAILED_PRECONDITION", "RefusedError", "FailedPrecondition"],
    [400, "PERMISSION_DENIED", "RefusedError", "PermissionDenied"],
    [400, "OUT_OF_RANGE", "RefusedError", "OutOfRange"],
    [400, "INVALID_ARGUMENT", "InputError", "InvalidArgument"],
    [409, "ALREADY_EXISTS", "RefusedError", "AlreadyExists"],
    [409, "ABORTED", "UnavailableError", "Aborted"],
    [500, "INTERNAL", "UnavailableError", "Unavailable"],
    [500, "DATA_LOSS", "UnavailableError", "Unavailable"],
    [503, "UNAVAILABLE", "UnavailableError", "Unavailable"],
  ])("with %i is told by its status %s", async (status, said, name, code) => {
    answer = { status, body: JSON.stringify({ error: { code: status, status: said, message: "no" } }) };
    expect(await refused()).toMatchObject({ name, code });
  });

  it.each([
    [400, '{"error":{"message":"no"}}', "InvalidArgument"],
    [403, '{"error":{"status":"A_LATER_ONE","message":"no"}}', "PermissionDenied"],
    [404, "<!doctype html>", "NotFound"],
    [502, "", "Unavailable"],
  ])("with %i and %s is told by HTTP's status", async (status, body, code) => {
    answer = { status, body };
    expect(await refused()).toMatchObject({ code });
  });
});

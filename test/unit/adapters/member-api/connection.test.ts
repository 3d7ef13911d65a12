import { once } from "node:events";
import { createServer, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, it } from "@jest/globals";
import { accessReview } from "../../../../shared/adapters/member-api/access.ts";
import {
  type AccessToken,
  type ApiConnection,
  connect,
} from "../../../../shared/adapters/member-api/connection.ts";
import { objectReader } from "../../../../shared/adapters/member-api/objects.ts";

type Answer = (response: ServerResponse) => void;

let server: Server;
let api: ApiConnection;
afterEach(async () => {
  await api.close();
  server.close();
});

/** An API server that gives these answers one after the other; answers how many it was asked for. */
async function anApiServer(...answers: readonly Answer[]): Promise<() => number> {
  return await anApiServerFor(() => Promise.resolve("token"), ...answers);
}

async function anApiServerFor(token: AccessToken, ...answers: readonly Answer[]): Promise<() => number> {
  let asked = 0;
  server = createServer((_, response) => {
    const answer = answers[asked];
    asked += 1;
    if (answer === undefined) response.writeHead(418).end();
    else answer(response);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- it listens on a port
  const { port } = server.address() as AddressInfo;
  const endpoint = { kind: "public", server: `http://127.0.0.1:${port}` } as const;
  api = connect(endpoint, token, { clusterId: "cn-a" });
  return () => asked;
}

const answer =
  (status: number, body: unknown, headers: Record<string, string> = {}): Answer =>
  (response) => {
    response.writeHead(status, { "content-type": "application/json", ...headers });
    response.end(typeof body === "string" ? body : JSON.stringify(body));
  };
const busy = (status: number) => answer(status, { kind: "Status", message: "busy" }, { "retry-after": "0" });
const found = answer(200, { kind: "ConfigMap", metadata: { name: "a" } });
const notFound = answer(404, { kind: "Status", reason: "NotFound", message: "not found" });

const REF = { apiVersion: "v1", kind: "ConfigMap", namespace: "n", name: "a" };
const QUERY = { apiVersion: "v1", kind: "ConfigMap", namespace: "n" };

describe("a request to an API server", () => {
  it.each([429, 503])("is sent once more after %d", async (status) => {
    const asked = await anApiServer(busy(status), found);
    expect(await objectReader(api).get(REF)).toMatchObject({ metadata: { name: "a" } });
    expect(asked()).toBe(2);
  });

  it("settles at its deadline though no access token comes, and is not sent", async () => {
    const asked = await anApiServerFor(() => new Promise<never>(() => undefined), found);
    const limit = AbortSignal.timeout(50);
    for (const signal of [limit, AbortSignal.abort()])
      await expect(objectReader(api).get(REF, signal)).rejects.toMatchObject({
        code: "ApiServerUnreachable",
      });
    expect(asked()).toBe(0);
  });

  it("is not sent a third time", async () => {
    const asked = await anApiServer(busy(503), busy(503), found);
    await expect(objectReader(api).get(REF)).rejects.toMatchObject({
      code: "ApiServerError",
      retryable: true,
    });
    expect(asked()).toBe(2);
  });

  it("that finds nothing is an answer when one object is asked for", async () => {
    await anApiServer(notFound);
    expect(await objectReader(api).get(REF)).toBeUndefined();
  });

  it.each([
    ["for a list", () => objectReader(api).list(QUERY), notFound, "NotFound"],
    [
      "of its own in words that are no API server's",
      () => objectReader(api).get(REF),
      answer(404, "404 page not found"),
      "KindNotServed",
    ],
  ])("that finds nothing is an error %s", async (_, ask, said, code) => {
    await anApiServer(said);
    await expect(ask()).rejects.toMatchObject({ code, retryable: true });
  });

  it.each([
    [401, "Unauthorized", true],
    [403, "Forbidden", false],
    [422, "Rejected", false],
    [500, "ApiServerError", true],
  ])("that is answered with %d fails as %s", async (status, code, retryable) => {
    await anApiServer(answer(status, { kind: "Status", reason: code, message: "no" }));
    await expect(objectReader(api).get(REF)).rejects.toMatchObject({
      code,
      retryable,
      fields: { clusterId: "cn-a" },
    });
  });

  it("that is rejected keeps the server's own word for why", async () => {
    await anApiServer(answer(422, { kind: "Status", reason: "Invalid", message: "no" }));
    await expect(objectReader(api).get(REF)).rejects.toMatchObject({
      code: "Rejected",
      fields: { clusterId: "cn-a", reason: "Invalid" },
    });
  });
});

const event = (value: string) =>
  `${JSON.stringify({ type: "ADDED", object: { metadata: { name: "a" }, data: { value } } })}\n`;
const holds = (value: string) => (objects: readonly object[]) => JSON.stringify(objects).includes(value);

describe("a watch", () => {
  it("is begun again when it breaks in the middle, is refused for a moment, or ends", async () => {
    const asked = await anApiServer(
      (response) => {
        response.writeHead(200).write(event("first"), () => response.socket?.destroy());
      },
      busy(429),
      busy(429),
      answer(200, ""),
      (response) => response.writeHead(200).write(event("last")),
    );
    const seen = await objectReader(api).until(QUERY, holds("last"), AbortSignal.timeout(10_000));
    expect(seen).toMatchObject([{ data: { value: "last" } }]);
    expect(asked()).toBe(5);
  });

  it("fails when it is not allowed", async () => {
    await anApiServer(answer(403, { kind: "Status", message: "no" }));
    const seen = objectReader(api).until(QUERY, () => false, AbortSignal.timeout(10_000));
    await expect(seen).rejects.toMatchObject({ code: "Forbidden" });
  });

  it("answers what it saw last when it is given up", async () => {
    await anApiServer((response) => response.writeHead(200).write(event("first")));
    const giveUp = new AbortController();
    const seenOnce = ({ length }: readonly unknown[]) => {
      if (length > 0) giveUp.abort();
      return false;
    };
    const seen = await objectReader(api).until(QUERY, seenOnce, giveUp.signal);
    expect(seen).toMatchObject([{ data: { value: "first" } }]);
  });
});

describe("an API server that answers oddly", () => {
  it.each(["null", "[]", '"yes"', "1"])("with %s for an object is in trouble of its own", async (text) => {
    await anApiServer(answer(200, text), answer(200, text));
    const permission = { verb: "get", group: "", resource: "secrets" } as const;
    await expect(accessReview(api).isAllowed(permission)).rejects.toMatchObject({
      code: "ApiServerUnreachable",
      retryable: true,
    });
    // It is no empty list either.
    await expect(objectReader(api).list(QUERY)).rejects.toMatchObject({ code: "ApiServerUnreachable" });
  });

  it("with nothing to say of a failure has failed all the same", async () => {
    await anApiServer(answer(500, "null"));
    await expect(objectReader(api).get(REF)).rejects.toMatchObject({ code: "ApiServerError" });
  });

  it("with a date that is none does not tell its time", async () => {
    await anApiServer(answer(200, {}, { date: "never" }));
    expect(await accessReview(api).serverTime()).toBeUndefined();
  });
});

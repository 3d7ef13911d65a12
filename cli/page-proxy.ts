import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { InputError, inWords, MeshjoinError } from "../shared/errors.ts";

export interface PageProxyOptions {
  /** The function `sync-mesh`. */
  readonly target: URL;
  /** An identity token for the function, for every request: cache it. The page shows its errors. */
  readonly token: () => Promise<string>;
  /** 0: any free port. */
  readonly port: number;
}

export interface PageProxy {
  /** `http://127.0.0.1:port/`. */
  readonly url: string;
  close(): Promise<void>;
}

/** The requests of the page; a client of `POST /sync` needs no proxy. */
const SERVED = new Set(["GET /", "GET /status", "GET /plan", "POST /actions"]);
/** The function's own limit. */
const BODY_MAX = 64 * 1024;
const REQUEST_HEADERS = ["accept", "cache-control", "content-type", "cookie", "sec-fetch-site"];
const RESPONSE_HEADERS = [
  "allow",
  "cache-control",
  "content-security-policy",
  "content-type",
  "location",
  "refresh",
  "retry-after",
  "x-content-type-options",
];

/**
 * Serves the page on loopback with an identity that a browser cannot send. A process that reaches the port
 * acts as that identity, so the proxy takes only requests to its own address, not to a name that another site
 * points here.
 */
export async function startPageProxy({ target, token, port }: PageProxyOptions): Promise<PageProxy> {
  const server = createServer((request, response) => {
    answer(request, response).catch((error: unknown) => {
      if (response.headersSent) response.end();
      else if (error instanceof MeshjoinError) refuse(response, 502, inWords(error));
      else refuse(response, 502, `${target.host} gives no answer; see its log, and load the page again`);
    });
  });
  server.listen(port, "127.0.0.1");
  await once(server, "listening").catch((cause: unknown) => {
    throw new InputError(`port ${port} cannot be listened on`, {
      code: "InvalidInput",
      cure: "choose another with --port",
      field: "--port",
      cause,
    });
  });
  const address = server.address();
  const host = `127.0.0.1:${typeof address === "object" ? address?.port : port}`;
  const own = `http://${host}`;

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? "/", own);
    if (request.headers.host !== host) return refuse(response, 421, `this server is ${host} alone`);
    if (!SERVED.has(`${request.method} ${url.pathname}`)) {
      return refuse(response, 404, `only the page is served: use ${[...SERVED].join(", ")}`);
    }
    const body = await bodyOf(request);
    if (body === undefined) return refuse(response, 413, `more than ${BODY_MAX} bytes; send less`);
    const headers = picked(REQUEST_HEADERS, (name) => request.headers[name]);
    const { origin } = request.headers;
    if (origin !== undefined) headers.set("origin", origin === own ? target.origin : origin);
    headers.set("authorization", `Bearer ${await token()}`);
    const reply = await fetch(new URL(url.pathname + url.search, target), {
      method: request.method ?? "GET",
      headers,
      redirect: "manual",
      ...(body.length === 0 ? {} : { body: new Uint8Array(body) }),
    });
    const replyHeaders = picked(RESPONSE_HEADERS, (name) => reply.headers.get(name) ?? undefined);
    for (const cookie of reply.headers.getSetCookie()) replyHeaders.append("set-cookie", cookie);
    response
      .setHeaders(replyHeaders)
      .writeHead(reply.status)
      .end(Buffer.from(await reply.arrayBuffer()));
  }

  return {
    url: `${own}/`,
    async close() {
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

function refuse(response: ServerResponse, status: number, message: string): void {
  response.writeHead(status, { "content-type": "text/plain; charset=utf-8" }).end(`${message}\n`);
}

function picked(names: readonly string[], of: (name: string) => string | string[] | undefined): Headers {
  return new Headers(
    names.flatMap((name): [string, string][] => {
      const value = of(name);
      return typeof value === "string" ? [[name, value]] : [];
    }),
  );
}

/** Undefined if it is too large. */
async function bodyOf(request: IncomingMessage): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request) {
    const bytes = Buffer.from(chunk);
    length += bytes.length;
    if (length > BODY_MAX) return undefined;
    chunks.push(bytes);
  }
  return Buffer.concat(chunks);
}

import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import { createSecureServer, type Http2ServerRequest, type Http2ServerResponse } from "node:http2";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { text } from "node:stream/consumers";
import { ISTIO_NAMESPACE, READER_SERVICE_ACCOUNT } from "../../../../../shared/core/names.ts";
import { MeshjoinError } from "../../../../../shared/errors.ts";
import type { FakeApiServer } from "../api-server.ts";
import { forbidden, notFound } from "../errors.ts";
import { processFaults } from "../faults.ts";
import type { TlsIdentity } from "./identity.ts";
import { istiodPorts } from "./istiod-ports.ts";
import { type Answer, answerObject, queryOf } from "./objects.ts";
import { forwardingSockets, servePortForward } from "./port-forward.ts";
import { NO_PATH, refusalOf, statusBody } from "./status.ts";
import { type Target, targetOf } from "./target.ts";
import type { UsageMeter } from "./usage.ts";
import { serveWatch } from "./watch.ts";

/** What the owner of an access token may do; undefined of an unknown token. */
export type Authorize = (token: string) => Promise<"everything" | "nothing" | undefined>;

export interface HttpApiServer {
  readonly port: number;
  close(): Promise<void>;
}

export interface HttpApiServerOptions {
  readonly server: FakeApiServer;
  readonly identity: TlsIdentity;
  readonly authorize: Authorize;
  readonly usage: UsageMeter;
}

const READER_USER = `system:serviceaccount:${ISTIO_NAMESPACE}:${READER_SERVICE_ACCOUNT}`;

/**
 * A fake API server as a kube-apiserver is met: HTTP/2 and HTTP/1.1 over TLS on 127.0.0.1, bearer tokens,
 * watches, and port-forwards to its istiod over WebSocket.
 */
export async function httpApiServer(options: HttpApiServerOptions): Promise<HttpApiServer> {
  const { server: fake, identity, usage } = options;
  const ports = istiodPorts(fake.memberApi(processFaults()), () => fake.loadedCacerts());
  const open = new Set<Socket>();
  const sockets = forwardingSockets();
  const server = createSecureServer({ ...identity, allowHTTP1: true }, (request, response) => {
    usage.request();
    serve(options, request, response).catch((error: unknown) => refuse(response, error));
  });
  server.on("connection", (socket: Socket) => {
    const end = usage.connection();
    open.add(socket);
    socket.on("close", () => {
      open.delete(socket);
      end();
    });
  });
  server.on("upgrade", (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    const end = usage.portForward();
    socket.on("close", end);
    socket.on("error", () => socket.destroy());
    const upgrade = async () => {
      const { pod, port } = await forwarded(options, request);
      sockets.handleUpgrade(request, socket, head, (client) => {
        servePortForward(client, [port], () => ports.dial(pod, port));
      });
    };
    upgrade().catch((error: unknown) => {
      const { http } = refusalFor(error);
      socket.end(`HTTP/1.1 ${http} Refused\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`);
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string")
    throw new Error("an API server has no port; free some");
  return {
    port: address.port,
    async close() {
      const closed = once(server, "close");
      server.close();
      for (const client of sockets.clients) client.terminate();
      for (const socket of open) socket.destroy();
      await closed;
    },
  };
}

async function serve(
  { server, authorize }: HttpApiServerOptions,
  request: Http2ServerRequest,
  response: Http2ServerResponse,
): Promise<void> {
  const url = new URL(request.url, "https://127.0.0.1");
  const sent = await text(request);
  const call: Call = {
    method: request.method,
    path: url.pathname,
    query: url.searchParams,
    body: sent === "" ? undefined : JSON.parse(sent),
    metadataOnly: (request.headers.accept ?? "").includes("as=PartialObjectMetadata"),
    mayAll: await mayAll(authorize, request.headers.authorization),
  };
  const target = targetOf(call.path);
  if (call.mayAll && target !== undefined && call.query.get("watch") === "true") {
    response.writeHead(200, { "content-type": "application/json" });
    serveWatch(server.store, queryOf({ ...call, target }), call.metadataOnly, response);
    return;
  }
  const { http, body } = await answer(server, call, target);
  response.writeHead(http, { "content-type": "application/json" }).end(body);
}

interface Call {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly body: unknown;
  readonly metadataOnly: boolean;
  readonly mayAll: boolean;
}

async function answer(server: FakeApiServer, call: Call, target: Target | undefined): Promise<Answer> {
  const { path, mayAll: allowed } = call;
  if (path === "/version") return { http: 200, body: JSON.stringify({ gitVersion: "v1.36.3-gke.1" }) };
  if (path === "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews")
    return created({ status: { allowed } });
  if (!allowed) throw forbidden(`${call.method} ${path}`);
  const { tokens, access } = server.memberApi(processFaults());
  if (path === "/apis/authentication.k8s.io/v1/selfsubjectreviews")
    return created({ status: { userInfo: { username: await access.userName() } } });
  if (path === "/apis/authentication.k8s.io/v1/tokenreviews") {
    const authenticated = await tokens.isAccepted(tokenIn(call.body));
    return created({ status: authenticated ? { authenticated, user: { username: READER_USER } } : {} });
  }
  if (target === undefined) throw notFound(`the path ${path}`);
  if (target.subresource === "token" && target.name === READER_SERVICE_ACCOUNT) {
    const { boundTo, seconds } = tokenRequestIn(call.body);
    const { token, expiresAt } = await tokens.request(boundTo, seconds);
    return created({ status: { token, expirationTimestamp: expiresAt.toISOString() } });
  }
  if (target.subresource !== undefined) throw notFound(`the path ${path}`);
  server.kinds.assertServed(target.kind, path);
  return answerObject(server.store, { ...call, target });
}

function created(body: object): Answer {
  return { http: 201, body: JSON.stringify(body) };
}

/**
 * Fails where nothing can be forwarded; https://kubernetes.io/docs/reference/kubernetes-api/
 * `pods/portforward`.
 */
async function forwarded(
  { server, authorize }: HttpApiServerOptions,
  request: IncomingMessage,
): Promise<{ readonly pod: string; readonly port: number }> {
  const url = new URL(request.url ?? "/", "https://127.0.0.1");
  const what = `port-forward ${url.pathname}`;
  if (!(await mayAll(authorize, request.headers.authorization))) throw forbidden(what);
  const target = targetOf(url.pathname);
  const port = Number(url.searchParams.get("ports"));
  const { name: pod } = target ?? {};
  if (target?.subresource !== "portforward" || pod === undefined) throw notFound(what);
  const found = server.store.get({ ...queryOf({ target, query: new URLSearchParams() }), name: pod });
  if (found === undefined) throw notFound(what);
  return { pod, port };
}

class UnauthorizedError extends Error {}

async function mayAll(authorize: Authorize, header: string | undefined): Promise<boolean> {
  const token = /^Bearer (?<token>\S+)$/i.exec(header ?? "")?.groups?.["token"];
  const rights = token === undefined ? undefined : await authorize(token);
  if (rights === undefined) throw new UnauthorizedError("Unauthorized");
  return rights === "everything";
}

function refusalFor(error: unknown) {
  if (error instanceof UnauthorizedError) return { http: 401, reason: "Unauthorized" };
  return error instanceof MeshjoinError ? refusalOf(error) : { http: 500, reason: "InternalError" };
}

function refuse(response: Http2ServerResponse, error: unknown): void {
  const refusal = refusalFor(error);
  if (refusal === NO_PATH) return void response.writeHead(NO_PATH.http).end("404 page not found\n");
  const message = error instanceof Error ? error.message : String(error);
  const body = JSON.stringify(statusBody(refusal, message));
  response.writeHead(refusal.http, { "content-type": "application/json" }).end(body);
}

/** authentication/v1 TokenReview. */
function tokenIn(body: unknown): string {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- every field is optional
  return (body as { spec?: { token?: string } }).spec?.token ?? "";
}

interface TokenRequest {
  readonly spec?: {
    readonly expirationSeconds?: number;
    readonly boundObjectRef?: { readonly name?: string; readonly uid?: string };
  };
}

/** authentication/v1 TokenRequest. */
function tokenRequestIn(body: unknown) {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- every field is optional
  const { spec } = body as TokenRequest;
  const { name = "", uid = "" } = spec?.boundObjectRef ?? {};
  return { boundTo: { name, uid }, seconds: spec?.expirationSeconds ?? 3600 };
}

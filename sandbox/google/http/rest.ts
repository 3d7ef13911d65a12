import type { IncomingMessage, ServerResponse } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { cut } from "../../os/cut.ts";
import type { ApiTarget, FaultBoard } from "../faults/faults.ts";
import type { TokenRegistry } from "../identity/tokens.ts";
import { errorBody, GoogleError, statusOf } from "./google-error.ts";
import type { RequestLedger } from "./ledger.ts";
import { bearerToken, type LocalServer, listen, readBody, requestUrl } from "./server.ts";

export interface RestCall {
  /** Email of the account that calls. */
  readonly caller: string;
  readonly userAgent: string;
  /** Whose quota and enabled APIs the call counts on, where it says so. */
  readonly quotaProject: string | undefined;
  /** The named groups of the route's path. */
  readonly path: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  /** Parsed JSON; `{}` where none was sent. */
  readonly body: unknown;
}

export interface RestRoute {
  readonly method: "GET" | "POST" | "PATCH" | "PUT" | "DELETE";
  readonly path: RegExp;
  handle(call: RestCall): object;
}

export interface RestOptions {
  readonly target: ApiTarget;
  readonly tokens: TokenRegistry;
  readonly faults: FaultBoard;
  readonly ledger: RequestLedger;
  readonly port?: number;
}

/**
 * Serves one Google API over plain HTTP: who calls, faults, counting and error shapes are the same for all of
 * them.
 */
export function startRestApi(options: RestOptions, routes: readonly RestRoute[]): Promise<LocalServer> {
  return listen(async (request, response) => {
    try {
      const caller = authenticate(options.tokens, request);
      options.ledger.record(caller, options.target);
      if (await failOnPurpose(options, response)) return;
      send(response, 200, await dispatch(routes, request, caller));
    } catch (error) {
      const known = error instanceof GoogleError ? error : internal(error);
      send(response, known.httpStatus, errorBody(known));
    }
  }, options.port);
}

function authenticate(tokens: TokenRegistry, request: IncomingMessage): string {
  const token = bearerToken(request);
  const caller = token === undefined ? undefined : tokens.email(token);
  if (caller !== undefined) return caller;
  throw new GoogleError(
    "UNAUTHENTICATED",
    "Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or other valid " +
      "authentication credential. See https://developers.google.com/identity/sign-in/web/devconsole-project.",
  );
}

/** True if the request has been dealt with: its connection is cut. */
async function failOnPurpose({ faults, target }: RestOptions, response: ServerResponse): Promise<boolean> {
  const delay = faults.take(target, "delay")?.delayMs;
  // Not waited for by a process that has nothing else to do: who asked may be gone long before.
  if (delay !== undefined) await sleep(delay, undefined, { ref: false });
  if (faults.take(target, "refuse") !== undefined) {
    if (response.socket !== null) cut(response.socket);
    return true;
  }
  const status = faults.take(target, "status")?.status;
  if (status !== undefined) {
    const name = statusOf(status);
    send(response, status, {
      error: { code: status, message: "a fault of the sandbox; clear it to go on", status: name },
    });
    return true;
  }
  return false;
}

async function dispatch(
  routes: readonly RestRoute[],
  request: IncomingMessage,
  caller: string,
): Promise<object> {
  const url = requestUrl(request);
  const path = decodeURIComponent(url.pathname);
  for (const route of routes) {
    const match = route.method === request.method ? route.path.exec(path) : null;
    if (match === null) continue;
    return route.handle({
      caller,
      userAgent: request.headers["user-agent"] ?? "",
      quotaProject: headerOf(request, "x-goog-user-project"),
      path: { ...match.groups },
      query: url.searchParams,
      body: await jsonBody(request),
    });
  }
  throw new GoogleError("UNIMPLEMENTED", `the sandbox does not serve ${request.method} ${path}`);
}

function headerOf({ headers }: IncomingMessage, name: string): string | undefined {
  const value = headers[name];
  return Array.isArray(value) ? value[0] : value;
}

async function jsonBody(request: IncomingMessage): Promise<unknown> {
  const text = (await readBody(request)).toString("utf8");
  if (text === "") return {};
  try {
    return JSON.parse(text);
  } catch {
    throw new GoogleError("INVALID_ARGUMENT", "Invalid JSON payload received.");
  }
}

function internal(error: unknown): GoogleError {
  return new GoogleError("INTERNAL", error instanceof Error ? error.message : "Internal error encountered.");
}

function send(response: ServerResponse, status: number, body: object): void {
  response
    .writeHead(status, { "content-type": "application/json; charset=UTF-8" })
    .end(`${JSON.stringify(body, null, 2)}\n`);
}

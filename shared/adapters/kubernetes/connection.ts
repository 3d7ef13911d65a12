import { KubeConfig } from "@kubernetes/client-node";
import { type Dispatcher, Pool } from "undici";
import type { Endpoint } from "../../core/cluster.ts";
import { type ErrorFields, UnavailableError } from "../../errors.ts";
import { type Status, statusError } from "./status-errors.ts";

/** A Google access token; asked for with every request, so that a warm instance outlives the token's hour. */
export type AccessToken = () => Promise<string>;

export interface ApiRequest {
  readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly accept?: string;
  readonly contentType?: string;
  readonly body?: unknown;
  /** In words, for errors: `create Secret cacerts`. */
  readonly what: string;
  readonly signal?: AbortSignal | undefined;
}

/** One API server: a pool of kept-alive connections for requests, and a kubeconfig for WebSockets. */
export interface ApiConnection {
  /** The parsed body; `undefined` for a GET that found nothing. Everything else is a MeshjoinError. */
  json(request: ApiRequest): Promise<unknown>;
  /** The raw body of a watch, line by line. */
  lines(request: ApiRequest): AsyncIterable<string>;
  /** With a fresh token; for the WebSocket client. */
  kubeConfig(): Promise<KubeConfig>;
  close(): Promise<void>;
}

const CONNECT_TIMEOUT_MS = 5000;
const HEADERS_TIMEOUT_MS = 15_000;
/** For a whole answer; a server that stops in the middle of one must not hold a run. Watches have none. */
const ANSWER_TIMEOUT_MS = 30_000;

export function connect(endpoint: Endpoint, accessToken: AccessToken, fields: ErrorFields): ApiConnection {
  const ca = endpoint.caData === undefined ? undefined : Buffer.from(endpoint.caData, "base64");
  const pool = new Pool(endpoint.server, {
    connect: { timeout: CONNECT_TIMEOUT_MS, ...(ca === undefined ? {} : { ca }) },
    connections: 1,
    allowH2: true,
    headersTimeout: HEADERS_TIMEOUT_MS,
    bodyTimeout: 0,
  });

  async function send(request: ApiRequest): Promise<Dispatcher.ResponseData> {
    const token = await accessToken();
    try {
      return await pool.request({
        method: request.method,
        path: request.path,
        ...(request.query === undefined ? {} : { query: request.query }),
        headers: {
          authorization: `Bearer ${token}`,
          accept: request.accept ?? "application/json",
          "user-agent": "meshjoin",
          ...(request.body === undefined
            ? {}
            : { "content-type": request.contentType ?? "application/json" }),
        },
        body: request.body === undefined ? null : JSON.stringify(request.body),
        signal: request.signal ?? null,
      });
    } catch (error) {
      throw unreachable(request.what, error, fields);
    }
  }

  async function checked(request: ApiRequest): Promise<Dispatcher.ResponseData | undefined> {
    const response = await send(request);
    if (response.statusCode < 300) return response;
    const status = await readStatus(response);
    if (response.statusCode === 404 && request.method === "GET") return undefined;
    throw statusError(response.statusCode, status, request.what, fields);
  }

  return {
    async json(request) {
      const limit = AbortSignal.timeout(ANSWER_TIMEOUT_MS);
      const signal = request.signal === undefined ? limit : AbortSignal.any([request.signal, limit]);
      const response = await checked({ ...request, signal });
      try {
        return await response?.body.json();
      } catch (error) {
        throw unreachable(request.what, error, fields);
      }
    },
    async *lines(request) {
      const response = await checked(request);
      if (response === undefined) return;
      let rest = "";
      for await (const chunk of response.body.setEncoding("utf8")) {
        const parts = (rest + String(chunk)).split("\n");
        rest = parts.pop() ?? "";
        yield* parts;
      }
    },
    async kubeConfig() {
      const config = new KubeConfig();
      config.loadFromClusterAndUser(
        {
          name: "member",
          server: endpoint.server,
          skipTLSVerify: false,
          ...(endpoint.caData === undefined ? {} : { caData: endpoint.caData }),
        },
        { name: "meshjoin", token: await accessToken() },
      );
      return config;
    },
    async close() {
      await pool.destroy();
    },
  };
}

/** Whatever is not an answer of the API server: refused, reset, timed out, a certificate that does not fit. */
export function unreachable(what: string, cause: unknown, fields: ErrorFields): UnavailableError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new UnavailableError(`${what}: ${reason}; check that the API server can be reached`, {
    code: "ApiServerUnreachable",
    cause,
    fields,
  });
}

async function readStatus(response: Dispatcher.ResponseData): Promise<Status> {
  try {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- every field is optional and checked where it is used
    return (await response.body.json()) as Status;
  } catch {
    return {};
  }
}

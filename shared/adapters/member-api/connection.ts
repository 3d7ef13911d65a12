import { setTimeout as sleep } from "node:timers/promises";
import { KubeConfig } from "@kubernetes/client-node";
import { type Dispatcher, Pool } from "undici";
import { untilAborted } from "../../async/until-aborted.ts";
import type { Endpoint } from "../../core/cluster/cluster.ts";
import { type ErrorFields, UnavailableError } from "../../errors.ts";
import { isRecord } from "../../is-record.ts";
import { type KubernetesStatus, statusError } from "./status-errors.ts";

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
  /** The API server's word that there is no such object is an answer, not an error. */
  readonly absentIsAnswer?: boolean;
  readonly signal?: AbortSignal | undefined;
}

/** One API server: a pool of kept-alive connections for requests, and a kubeconfig for WebSockets. */
export interface ApiConnection {
  /**
   * The parsed body; `undefined` for an absent object that may be absent. Any other failure is a
   * MeshjoinError.
   */
  json(request: ApiRequest): Promise<unknown>;
  /** The raw body of a watch, line by line. Fails with a MeshjoinError, also in the middle. */
  lines(request: ApiRequest): AsyncIterable<string>;
  /** The `Date` header of an answer. */
  serverTime(signal: AbortSignal | undefined): Promise<Date | undefined>;
  /** With a fresh token; for the WebSocket client. */
  kubeConfig(): Promise<KubeConfig>;
  close(): Promise<void>;
}

const CONNECT_TIMEOUT_MS = 5000;
const HEADERS_TIMEOUT_MS = 15_000;
/** Longer than a run's pauses: undici's default is 4 s, then the next request pays for a TLS handshake. */
const KEEP_ALIVE_MS = 60_000;
/** For a server that is busy for a moment; a longer trouble is left to the next delivery. */
const RETRY_PAUSE_MS = 1000;
const RETRY_PAUSE_MAX_MS = 5000;
/** For a whole answer: a server that stops in the middle must not hold a run. Watches have no limit. */
const ANSWER_TIMEOUT_MS = 30_000;

export function connect(endpoint: Endpoint, accessToken: AccessToken, fields: ErrorFields): ApiConnection {
  const ca = endpoint.caData === undefined ? undefined : Buffer.from(endpoint.caData, "base64");
  const pool = new Pool(endpoint.server, {
    // With HTTP/2, if the server offers it, one connection carries all requests.
    connect: { timeout: CONNECT_TIMEOUT_MS, preferH2: true, ...(ca === undefined ? {} : { ca }) },
    connections: 1,
    allowH2: true,
    keepAliveTimeout: KEEP_ALIVE_MS,
    headersTimeout: HEADERS_TIMEOUT_MS,
    bodyTimeout: 0,
  });

  /** Google's errors pass unchanged; only the deadline belongs to this request. */
  async function tokenFor({ what, signal }: ApiRequest): Promise<string> {
    const token = accessToken();
    if (signal === undefined) return await token;
    try {
      return await untilAborted(token, signal);
    } catch (error) {
      throw signal.aborted ? unreachable(what, error, fields) : error;
    }
  }

  async function send(request: ApiRequest): Promise<Dispatcher.ResponseData> {
    const token = await tokenFor(request);
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

  /** Every write is conditional or idempotent, so any request may be sent again. */
  async function sendPatiently(request: ApiRequest): Promise<Dispatcher.ResponseData> {
    const response = await send(request);
    if (response.statusCode !== 429 && response.statusCode !== 503) return response;
    await response.body.dump();
    await sleep(retryPause(response), undefined, { signal: request.signal }).catch(() => undefined);
    return await send(request);
  }

  async function checked(request: ApiRequest): Promise<Dispatcher.ResponseData | undefined> {
    const response = await sendPatiently(request);
    if (response.statusCode < 300) return response;
    const status = await readStatus(response);
    if (request.absentIsAnswer === true && status.reason === "NotFound") return undefined;
    throw statusError(response.statusCode, status, request.what, fields);
  }

  return {
    async json(request) {
      const limit = AbortSignal.timeout(ANSWER_TIMEOUT_MS);
      const signal = request.signal === undefined ? limit : AbortSignal.any([request.signal, limit]);
      const response = await checked({ ...request, signal });
      if (response === undefined) return undefined;
      try {
        const answer = await response.body.json();
        // Every answer of the API is an object. Anything else must not pass for an empty one.
        if (!isRecord(answer)) throw new TypeError("the answer is no JSON object");
        return answer;
      } catch (error) {
        throw unreachable(request.what, error, fields);
      }
    },
    async *lines(request) {
      const response = await checked(request);
      if (response === undefined) return;
      let rest = "";
      try {
        for await (const chunk of response.body.setEncoding("utf8")) {
          const parts = (rest + String(chunk)).split("\n");
          rest = parts.pop() ?? "";
          yield* parts;
        }
      } catch (error) {
        throw unreachable(request.what, error, fields);
      }
    },
    async serverTime(signal) {
      const response = await checked({ method: "GET", path: "/version", what: "read the version", signal });
      await response?.body.dump();
      const date = response?.headers["date"];
      const time = new Date(typeof date === "string" ? date : "");
      return Number.isNaN(time.getTime()) ? undefined : time;
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

const REACH =
  "if it lasts, check the cluster's health, its authorized networks and MESHJOIN_ACCESS_FUNCTION; Meshjoin tries again";

/** For a failure without an answer of the API server: refused, reset, timed out, a wrong certificate. */
export function unreachable(what: string, cause: unknown, fields: ErrorFields): UnavailableError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new UnavailableError(`${what}: ${reason}`, {
    code: "ApiServerUnreachable",
    cure: REACH,
    cause,
    fields,
  });
}

/** https://www.rfc-editor.org/rfc/rfc9110#field.retry-after; API servers send seconds. */
function retryPause({ headers }: Dispatcher.ResponseData): number {
  const seconds = Number(headers["retry-after"] ?? Number.NaN);
  return Number.isNaN(seconds) ? RETRY_PAUSE_MS : Math.min(seconds * 1000, RETRY_PAUSE_MAX_MS);
}

async function readStatus(response: Dispatcher.ResponseData): Promise<KubernetesStatus> {
  try {
    const status = await response.body.json();
    // Every field is optional, and checked where it is used.
    return isRecord(status) ? status : {};
  } catch {
    return {};
  }
}

import { Agent, request } from "node:http";
import { addAbortSignal, type Duplex } from "node:stream";
import { text } from "node:stream/consumers";
import { untilAborted } from "../../async/until-aborted.ts";
import { within } from "../../async/within.ts";
import type { ErrorFields, MeshjoinError } from "../../errors.ts";
import { type ApiConnection, unreachable } from "./connection.ts";
import { forwardPort, type PodPort } from "./port-forward.ts";
import { statusError } from "./status-errors.ts";

const OPEN_TIMEOUT_MS = 10_000;
const ANSWER_TIMEOUT_MS = 10_000;

/** Port-forwards to one pod, which end together. */
export interface Forwards {
  open(port: number, signal: AbortSignal): Promise<Duplex>;
  close(): void;
}

export function forwards(
  api: Pick<ApiConnection, "kubeConfig">,
  { namespace, pod }: Pick<PodPort, "namespace" | "pod">,
  fields: ErrorFields,
): Forwards {
  const closed = new AbortController();
  return {
    async open(port, signal) {
      const opening = within(AbortSignal.any([signal, closed.signal]), OPEN_TIMEOUT_MS);
      try {
        const config = await untilAborted(api.kubeConfig(), opening);
        return addAbortSignal(closed.signal, await forwardPort(config, { namespace, pod, port }, opening));
      } catch (error) {
        throw forwardError(error, `port-forward to ${pod}:${port}`, fields);
      }
    },
    close() {
      closed.abort();
    },
  };
}

/**
 * The WebSocket client's message for an answer that is no upgrade;
 * https://github.com/websockets/ws `abortHandshake`.
 */
const NO_UPGRADE = /^Unexpected server response: (?<status>\d{3})$/;

/** The client rejects with an event, whose enumerable fields hold the request with its bearer token. */
function forwardError(error: unknown, what: string, fields: ErrorFields): MeshjoinError {
  const message =
    typeof error === "object" && error !== null && "message" in error ? String(error.message) : String(error);
  const status = NO_UPGRADE.exec(message)?.groups?.["status"];
  return status === undefined
    ? unreachable(what, new Error(message), fields)
    : statusError(Number(status), status === "404" ? { reason: "NotFound" } : {}, what, fields);
}

/** Sends all requests of the session over the one forwarded connection. */
export function agentOver(stream: Duplex): Agent {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const socket = Object.assign(stream, {
    setKeepAlive: () => socket,
    setNoDelay: () => socket,
    setTimeout: () => socket,
    ref: () => socket,
    unref: () => socket,
  });
  agent.createConnection = () => socket;
  return agent;
}

export async function httpGet(agent: Agent, path: string, signal: AbortSignal): Promise<string> {
  return await new Promise((resolve, reject) => {
    const sent = request(
      {
        agent,
        path,
        host: "127.0.0.1",
        headers: { host: "localhost" },
        signal: within(signal, ANSWER_TIMEOUT_MS),
      },
      (response) => {
        if (response.statusCode === 200) text(response).then(resolve, reject);
        else reject(new Error(`HTTP ${response.statusCode}`));
      },
    );
    sent.on("error", reject);
    sent.end();
  });
}

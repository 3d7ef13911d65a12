import { once } from "node:events";
import { Agent, type IncomingMessage, request } from "node:http";
import { text } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";

export interface Target {
  /** Of loopback unless given. */
  readonly address?: string;
  readonly port: number;
  /** The `Host` header, by which a sidecar knows the service. */
  readonly host: string;
  /** `/` unless given. */
  readonly path?: string;
  /** Keeps the connection for the next request; left out: one of its own. */
  readonly agent?: Agent;
}

export interface Answer {
  readonly status: number;
  readonly body: string;
}

/** Of the mesh and of servers: the request has passed. */
export const OK = 200;

const POLL_MS = 200;
const PATIENCE_MS = 90_000;
/** More than the 10 s after which a sidecar gives up a connection, so that its own answer says why. */
const TIMEOUT_MS = 15_000;

/** One request; fails if there is no answer in 15 seconds. */
export async function sendRequest({
  address = "127.0.0.1",
  port,
  host,
  path = "/",
  agent = new Agent({ keepAlive: false }),
}: Target): Promise<Answer> {
  const signal = AbortSignal.timeout(TIMEOUT_MS);
  const sent = request({ host: address, port, path, agent, headers: { host }, signal });
  sent.end();
  const [response]: IncomingMessage[] = await once(sent, "response");
  if (response === undefined) throw new Error("no answer");
  return { status: response.statusCode ?? 0, body: await text(response) };
}

/** Until a request passes: an endpoint takes its way through two control planes. `whose`: for the error. */
export async function firstAnswer(whose: string, ask: () => Promise<Answer>): Promise<void> {
  let last = "no answer";
  for (const end = Date.now() + PATIENCE_MS; Date.now() < end; await sleep(POLL_MS)) {
    try {
      const { status, body } = await ask();
      if (status === OK) return;
      last = `${status} ${body}`;
    } catch (error) {
      last = String(error);
    }
  }
  throw new Error(`no request to ${whose} passes: ${last}; see the logs of the proxies and of istiod`);
}

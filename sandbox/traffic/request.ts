import { once } from "node:events";
import { Agent, type IncomingMessage, request } from "node:http";
import { text } from "node:stream/consumers";

export interface Target {
  readonly port: number;
  /** The `Host` header, by which a sidecar knows the service. */
  readonly host: string;
}

export interface Answer {
  readonly status: number;
  readonly body: string;
}

/** More than the 10 s after which a sidecar gives up a connection, so that its own answer says why. */
const TIMEOUT_MS = 15_000;

/** One request to loopback over a connection of its own; fails if there is no answer in 15 seconds. */
export async function sendRequest({ port, host }: Target): Promise<Answer> {
  const agent = new Agent({ keepAlive: false });
  const signal = AbortSignal.timeout(TIMEOUT_MS);
  const sent = request({ host: "127.0.0.1", port, agent, headers: { host }, signal });
  sent.end();
  const [response]: IncomingMessage[] = await once(sent, "response");
  if (response === undefined) throw new Error("no answer");
  return { status: response.statusCode ?? 0, body: await text(response) };
}

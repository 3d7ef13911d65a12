import type { Agent } from "node:http";
import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect,
  type IncomingHttpHeaders,
} from "node:http2";
import { within } from "../../async/within.ts";
import type { RawAnswer } from "../../core/probe/answer.ts";
import { endpointsIn } from "../../core/probe/endpoints.ts";
import {
  ENVOY_ADMIN_PORT,
  envoyCluster,
  PROBE_HOST,
  PROBE_NAMESPACE,
  PROBE_PORTS,
  questionPath,
} from "../../core/probe/wire.ts";
import { type ErrorFields, MeshjoinError } from "../../errors.ts";
import type { SidecarProbe } from "../../ports/member-api.ts";
import { type ApiConnection, unreachable } from "./connection.ts";
import { agentOver, forwards, httpGet } from "./forwards.ts";

/** Longer than Envoy itself waits for a target. */
const ANSWER_TIMEOUT_MS = 8000;
/** In characters; an answer of a probe has less than a hundred. */
const BODY_MAX = 4096;
/** Each question also has a limit of its own. */
const UNLIMITED = new AbortController().signal;

/** Asks a probe's Envoy on loopback: HTTP/2, so that all questions go at once, and a slow one delays none. */
export function sidecarProbe(api: Pick<ApiConnection, "kubeConfig">, fields: ErrorFields): SidecarProbe {
  return {
    open(pod) {
      const pods = forwards(api, { namespace: PROBE_NAMESPACE, pod }, fields);
      let asking: Promise<ClientHttp2Session> | undefined;
      let admin: Promise<Agent> | undefined;

      async function opened(signal: AbortSignal): Promise<ClientHttp2Session> {
        const stream = await pods.open(PROBE_PORTS.ask, signal);
        const session = connect(`http://${PROBE_HOST}`, { createConnection: () => stream });
        // Each question tells of the error; without a listener it would end the process.
        session.on("error", () => undefined);
        stream.once("close", () => session.destroy());
        return session;
      }

      return {
        async ask(targets, signal = UNLIMITED) {
          const limit = within(signal, ANSWER_TIMEOUT_MS);
          asking ??= opened(limit);
          try {
            const session = await asking;
            const all = await Promise.all(
              targets.map(async (target) => [target, await answerOf(session, target, limit)] as const),
            );
            const answers = new Map(
              all.flatMap(([target, answer]) => (answer === undefined ? [] : [[target, answer]])),
            );
            if (answers.size === 0 && (signal.aborted || session.destroyed)) {
              throw new Error("the connection ended before an answer");
            }
            return answers;
          } catch (error) {
            asking = undefined;
            if (error instanceof MeshjoinError) throw error;
            throw unreachable(`ask the probe ${pod}`, error, fields);
          }
        },
        async endpoints(target, signal = UNLIMITED) {
          admin ??= pods.open(ENVOY_ADMIN_PORT, signal).then(agentOver);
          try {
            const filter = encodeURIComponent(
              `^${envoyCluster(target).replaceAll(/[|.]/g, (each) => `[${each}]`)}$`,
            );
            const path = `/clusters?format=json&filter=${filter}`;
            return endpointsIn(JSON.parse(await httpGet(await admin, path, signal)), target);
          } catch (error) {
            admin = undefined;
            if (error instanceof MeshjoinError) throw error;
            throw unreachable(`read /clusters of the probe ${pod}`, error, fields);
          }
        },
        close: () => pods.close(),
      };
    },
  };
}

/** Undefined if it did not come in time, or the connection ended. */
async function answerOf(
  session: ClientHttp2Session,
  target: string,
  signal: AbortSignal,
): Promise<RawAnswer | undefined> {
  try {
    const stream = session.request({ ":path": questionPath(target), ":authority": PROBE_HOST }, { signal });
    const heads = new Promise<IncomingHttpHeaders & { ":status"?: number }>((resolve, reject) => {
      stream.once("response", resolve);
      stream.once("error", reject);
      stream.once("close", () => reject(new Error("no answer")));
    });
    const [headers, body] = await Promise.all([heads, beginningOf(stream)]);
    return { status: headers[":status"] ?? 0, headers: plain(headers), body };
  } catch {
    return undefined;
  }
}

/** Ends a stream that goes on for longer: the other side of a question may be anybody. */
async function beginningOf(stream: ClientHttp2Stream): Promise<string> {
  stream.setEncoding("utf8");
  let body = "";
  for await (const part of stream) {
    body += String(part);
    if (body.length > BODY_MAX) break;
  }
  return body;
}

function plain(headers: IncomingHttpHeaders): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) => (typeof value === "string" ? [[name, value]] : [])),
  );
}

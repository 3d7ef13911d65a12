import { createHash } from "node:crypto";
import { Agent, request } from "node:http";
import { addAbortSignal, type Duplex } from "node:stream";
import { text } from "node:stream/consumers";
import { type DetailedPeerCertificate, connect as tlsConnect } from "node:tls";
import { untilAborted } from "../../async/until-aborted.ts";
import { within } from "../../async/within.ts";
import { type ErrorFields, MeshjoinError } from "../../errors.ts";
import type { IstiodProbe, RemoteClusterStatus } from "../../ports/member-api.ts";
import { type ApiConnection, unreachable } from "./connection.ts";
import { forwardPort } from "./port-forward.ts";
import { statusError } from "./status-errors.ts";

/** Ports of istiod; Istio `pilot/cmd/pilot-discovery/app/cmd.go`. */
const DEBUG_PORT = 8080;
const XDS_PORT = 15_012;
const OPEN_TIMEOUT_MS = 10_000;
const ANSWER_TIMEOUT_MS = 10_000;

/** Each question also has a limit of its own. */
const UNLIMITED = new AbortController().signal;

const STATUSES = ["synced", "syncing", "timeout", "closed"] as const;

/** Asks istiod for its real state, as istioctl does: by port-forward, never from written objects. */
export function istiodProbe(api: Pick<ApiConnection, "kubeConfig">, fields: ErrorFields): IstiodProbe {
  return {
    open(pod) {
      let debug: Promise<Agent> | undefined;
      const closed = new AbortController();

      async function forward(port: number, signal: AbortSignal): Promise<Duplex> {
        const opening = within(AbortSignal.any([signal, closed.signal]), OPEN_TIMEOUT_MS);
        try {
          const config = await untilAborted(api.kubeConfig(), opening);
          return addAbortSignal(closed.signal, await forwardPort(config, { pod, port }, opening));
        } catch (error) {
          throw forwardError(error, `port-forward to ${pod}:${port}`, fields);
        }
      }

      return {
        async remoteClusters(signal = UNLIMITED) {
          debug ??= forward(DEBUG_PORT, signal).then(agentOver);
          try {
            return parseClusterz(await httpGet(await debug, "/debug/clusterz", signal));
          } catch (error) {
            debug = undefined;
            if (error instanceof MeshjoinError) throw error;
            throw unreachable(`read /debug/clusterz of ${pod}`, error, fields);
          }
        },
        async servedChain(signal = UNLIMITED) {
          const stream = await forward(XDS_PORT, signal);
          try {
            return await readChain(stream, signal);
          } catch (error) {
            throw unreachable(`TLS handshake with ${pod}:${XDS_PORT}`, error, fields);
          } finally {
            stream.destroy();
          }
        },
        close() {
          closed.abort();
        },
      };
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
    : statusError(Number(status), {}, what, fields);
}

/** Sends all requests of the session over the one forwarded connection. */
function agentOver(stream: Duplex): Agent {
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

async function httpGet(agent: Agent, path: string, signal: AbortSignal): Promise<string> {
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

function parseClusterz(body: string): RemoteClusterStatus[] {
  const rows: unknown = JSON.parse(body);
  if (!Array.isArray(rows)) throw new Error("the answer is no list");
  return rows.map((row: { id?: string; secretName?: string; syncStatus?: string }) => ({
    clusterId: row.id ?? "",
    secretName: row.secretName ?? "",
    status: STATUSES.find((status) => status === row.syncStatus) ?? "syncing",
  }));
}

/** Verifies no certificate: the caller compares fingerprints, and must see an untrusted chain as well. */
async function readChain(stream: Duplex, signal: AbortSignal): Promise<string[]> {
  const limit = within(signal, ANSWER_TIMEOUT_MS);
  return await new Promise((resolve, reject) => {
    const socket = tlsConnect({ socket: stream, rejectUnauthorized: false, ALPNProtocols: ["h2"] });
    const stop = () => socket.destroy(new Error("no TLS handshake in time"));
    limit.addEventListener("abort", stop, { once: true });
    // A signal that has aborted already fires no event.
    if (limit.aborted) stop();
    socket.once("secureConnect", () => {
      resolve(fingerprints(socket.getPeerCertificate(true)));
      socket.end();
    });
    // The stream below may fail after the handshake; without a listener that error would end the process.
    socket.on("error", reject);
    socket.once("close", () => limit.removeEventListener("abort", stop));
  });
}

function fingerprints(leaf: DetailedPeerCertificate): string[] {
  const chain: string[] = [];
  for (let certificate: DetailedPeerCertificate | undefined = leaf; certificate?.raw !== undefined; ) {
    const fingerprint = createHash("sha256").update(certificate.raw).digest("hex");
    if (chain.includes(fingerprint)) break;
    chain.push(fingerprint);
    certificate = certificate.issuerCertificate;
  }
  return chain;
}

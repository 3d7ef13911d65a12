import { createHash } from "node:crypto";
import type { Agent } from "node:http";
import type { Duplex } from "node:stream";
import { type DetailedPeerCertificate, connect as tlsConnect } from "node:tls";
import { within } from "../../async/within.ts";
import { ISTIO_NAMESPACE } from "../../core/names.ts";
import { dateOf } from "../../core/time.ts";
import { type ErrorFields, MeshjoinError } from "../../errors.ts";
import type {
  ConnectedProxy,
  IstiodProbe,
  NetworkGateway,
  RemoteClusterStatus,
} from "../../ports/member-api.ts";
import { type ApiConnection, unreachable } from "./connection.ts";
import { agentOver, forwards, httpGet } from "./forwards.ts";

/** Ports of istiod; Istio `pilot/cmd/pilot-discovery/app/cmd.go`. */
const DEBUG_PORT = 8080;
const XDS_PORT = 15_012;
const ANSWER_TIMEOUT_MS = 10_000;

/** Each question also has a limit of its own. */
const UNLIMITED = new AbortController().signal;

const STATUSES = ["synced", "syncing", "timeout", "closed"] as const;

/** Asks istiod for its real state, as istioctl does: by port-forward, never from written objects. */
export function istiodProbe(api: Pick<ApiConnection, "kubeConfig">, fields: ErrorFields): IstiodProbe {
  return {
    open(pod) {
      let debug: Promise<Agent> | undefined;
      const pods = forwards(api, { namespace: ISTIO_NAMESPACE, pod }, fields);

      async function ask<T>(path: string, parse: (body: string) => T, signal: AbortSignal): Promise<T> {
        debug ??= pods.open(DEBUG_PORT, signal).then(agentOver);
        try {
          return parse(await httpGet(await debug, path, signal));
        } catch (error) {
          debug = undefined;
          if (error instanceof MeshjoinError) throw error;
          throw unreachable(`read ${path} of ${pod}`, error, fields);
        }
      }

      return {
        remoteClusters: (signal = UNLIMITED) => ask("/debug/clusterz", parseClusterz, signal),
        networkGateways: (signal = UNLIMITED) => ask("/debug/networkz", parseNetworkz, signal),
        connectedProxies: (signal = UNLIMITED) => ask("/debug/syncz", parseSyncz, signal),
        async servedChain(signal = UNLIMITED) {
          const stream = await pods.open(XDS_PORT, signal);
          try {
            return await readChain(stream, signal);
          } catch (error) {
            throw unreachable(`TLS handshake with ${pod}:${XDS_PORT}`, error, fields);
          } finally {
            stream.destroy();
          }
        },
        close: () => pods.close(),
      };
    },
  };
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

/** `null` where it knows of none; Istio `pilot/pkg/model/network.go`, `NetworkGateway`. */
function parseNetworkz(body: string): NetworkGateway[] {
  const rows: unknown = JSON.parse(body) ?? [];
  if (!Array.isArray(rows)) throw new Error("the answer is no list");
  return rows.map((row: { Network?: string; Cluster?: string; Addr?: string }) => ({
    network: row.Network ?? "",
    clusterId: row.Cluster ?? "",
    address: row.Addr ?? "",
  }));
}

/** The type by which istiod sends the mesh's roots to proxies (PCDS); Istio `pkg/model/xds.go`. */
const ROOTS_TYPE = "type.googleapis.com/istio.mesh.v1alpha1.ProxyConfig";

interface SyncStatus {
  /** `<pod>.<namespace>`. */
  readonly proxy?: string;
  readonly istio_version?: string;
  readonly resources?: Readonly<Record<string, { sent?: string; acked?: string; sentTime?: string }>>;
}

function parseSyncz(body: string): ConnectedProxy[] {
  const rows: unknown = JSON.parse(body) ?? [];
  if (!Array.isArray(rows)) throw new Error("the answer is no list");
  return rows.map(({ proxy = "", istio_version: version = "", resources = {} }: SyncStatus) => {
    const { sent, acked, sentTime } = resources[ROOTS_TYPE] ?? {};
    // The names of pods may have dots; a namespace has none.
    const dot = proxy.lastIndexOf(".");
    return {
      namespace: proxy.slice(dot + 1),
      pod: proxy.slice(0, Math.max(dot, 0)),
      version,
      rootsOpenSince: sent === undefined || sent === acked ? undefined : dateOf(sentTime),
    };
  });
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

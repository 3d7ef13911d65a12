import { createServer, type Server } from "node:http";
import { type Duplex, duplexPair } from "node:stream";
import { createSecureContext, TLSSocket } from "node:tls";
import { MeshjoinError } from "../../../../../shared/errors.ts";
import { secretFile } from "../../../../../shared/istio/secrets.ts";
import type { KubernetesObject } from "../../../../../shared/ports/kubernetes-object.ts";
import type { IstiodSession, MemberApi } from "../../../../../shared/ports/member-api.ts";
import { istiodIdentity, type TlsIdentity } from "./identity.ts";

/** Of istiod; Istio `pilot/cmd/pilot-discovery/app/cmd.go`. */
const DEBUG_PORT = 8080;
const XDS_PORT = 15_012;

export interface IstiodPorts {
  /** A connection to a port of the pod; undefined where nothing listens. */
  dial(pod: string, port: number): Duplex | undefined;
}

/** The two ports that Meshjoin asks, as the fake istiod behind them would answer. */
export function istiodPorts(api: MemberApi, loadedCacerts: () => KubernetesObject | undefined): IstiodPorts {
  const identities = new WeakMap<KubernetesObject, Promise<TlsIdentity>>();
  const debugOf = new Map<string, Server>();

  function identityOf(cacerts: KubernetesObject): Promise<TlsIdentity> {
    const known =
      identities.get(cacerts) ??
      istiodIdentity(secretFile(cacerts, "ca-key.pem") ?? "", secretFile(cacerts, "cert-chain.pem") ?? "");
    identities.set(cacerts, known);
    return known;
  }

  async function serveTls(connection: Duplex, pod: string): Promise<void> {
    // As every question to it does, this one makes the fake look whether its files have changed.
    await api.istiod.open(pod).servedChain();
    const cacerts = loadedCacerts();
    if (cacerts === undefined) throw new Error("istiod has loaded no cacerts");
    const secureContext = createSecureContext(await identityOf(cacerts));
    const socket = new TLSSocket(connection, { isServer: true, secureContext, ALPNProtocols: ["h2"] });
    socket.on("error", () => connection.destroy());
    socket.on("end", () => socket.end());
    socket.resume();
  }

  return {
    dial(pod, port) {
      const [near, far] = duplexPair();
      near.on("error", () => undefined);
      if (port === XDS_PORT) serveTls(far, pod).catch(() => far.destroy());
      else if (port === DEBUG_PORT) {
        const server = debugOf.get(pod) ?? debugServer(api, pod);
        debugOf.set(pod, server);
        server.emit("connection", far);
      } else return undefined;
      return near;
    },
  };
}

/** `/debug/clusterz` and `/debug/networkz`; Istio `pilot/pkg/xds/debug.go`. */
function debugServer(api: MemberApi, pod: string): Server {
  return createServer((request, response) => {
    const answer = async () => {
      const ask = DEBUG_PAGES[request.url ?? ""];
      if (ask === undefined) return response.writeHead(404).end();
      const body = await ask(api.istiod.open(pod));
      return response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(body));
    };
    answer().catch((error: unknown) => {
      response.writeHead(500).end(error instanceof MeshjoinError ? error.message : "");
    });
  });
}

const DEBUG_PAGES: Readonly<Record<string, (istiod: IstiodSession) => Promise<unknown>>> = {
  "/debug/clusterz": async (istiod) => {
    const rows = await istiod.remoteClusters();
    return rows.map(({ clusterId, secretName, status }) => ({
      id: clusterId,
      secretName,
      syncStatus: status,
    }));
  },
  "/debug/syncz": async (istiod) => {
    const rows = await istiod.connectedProxies();
    return rows.map(({ namespace, pod, version, rootsOpenSince }) => ({
      proxy: `${pod}.${namespace}`,
      istio_version: version,
      resources: {
        "type.googleapis.com/istio.mesh.v1alpha1.ProxyConfig":
          rootsOpenSince === undefined
            ? { sent: "2", acked: "2" }
            : { sent: "2", acked: "1", sentTime: rootsOpenSince.toISOString() },
      },
    }));
  },
  "/debug/networkz": async (istiod) => {
    const rows = await istiod.networkGateways();
    return rows.length === 0
      ? null
      : rows.map(({ network, clusterId, address }) => ({
          Network: network,
          Cluster: clusterId,
          Addr: address,
        }));
  },
};

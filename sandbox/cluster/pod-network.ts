import { once } from "node:events";
import { createServer } from "node:http";
import { connect, createServer as createTcpServer, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import { hostAddress } from "../os/host-address.ts";

/**
 * How kube-apiserver reaches pods and nodes, whose addresses exist in the API only: an HTTP CONNECT server on
 * a Unix socket (kube-apiserver's egress selector, as GKE uses it) that maps `podIP:port` to a local port.
 */
export interface PodNetwork {
  readonly socketPath: string;
  setRoute(address: string, route: Route): void;
  deleteRoute(address: string): void;
  stop(): Promise<void>;
}

export interface Route {
  /** Of a listener on 127.0.0.1. */
  readonly port: number;
  /**
   * Connect from the host's own address instead of from loopback. istiod trusts loopback callers with
   * `/debug/*`; on GKE no connection of the pod network is one.
   */
  readonly fromHost: boolean;
}

/** The host's own address, if connections from it to loopback get through; not every system lets them. */
async function reachableHostAddress(): Promise<string | undefined> {
  const localAddress = hostAddress();
  if (localAddress === undefined) return undefined;
  const listener = createTcpServer((socket) => socket.destroy());
  listener.listen(0, "127.0.0.1");
  await once(listener, "listening");
  const address = listener.address();
  const port = address === null || typeof address === "string" ? 0 : address.port;
  const probe = connect({ port, host: "127.0.0.1", localAddress });
  try {
    await once(probe, "connect", { signal: AbortSignal.timeout(1000) });
    return localAddress;
  } catch {
    return undefined;
  } finally {
    probe.on("error", () => probe.destroy());
    probe.destroy();
    listener.close();
  }
}

function dial({ port, fromHost }: Route, ownAddress: string | undefined): Socket {
  const localAddress = fromHost ? ownAddress : undefined;
  return connect({ port, host: "127.0.0.1", ...(localAddress !== undefined && { localAddress }) });
}

function tunnel(client: Duplex, target: Socket, head: Buffer): void {
  let connected = false;
  target.on("connect", () => {
    connected = true;
    client.write("HTTP/1.1 200 Connection established\r\n\r\n");
    target.write(head);
    target.pipe(client).pipe(target);
  });
  target.on("error", () => {
    client.end(connected ? undefined : "HTTP/1.1 502 Bad Gateway\r\n\r\n");
  });
  target.on("close", () => client.end());
  client.on("error", () => target.destroy());
  client.on("close", () => target.destroy());
}

export async function startPodNetwork(socketPath: string): Promise<PodNetwork> {
  const ownAddress = await reachableHostAddress();
  const routes = new Map<string, Route>();
  const open = new Set<Duplex>();
  const server = createServer((_request, response) => response.writeHead(405).end());
  server.on("connect", (request, client, head) => {
    open.add(client);
    client.on("close", () => open.delete(client));
    const route = routes.get(request.url ?? "");
    if (route === undefined) {
      client.on("error", () => client.destroy());
      client.end("HTTP/1.1 502 Bad Gateway\r\n\r\n");
    } else {
      tunnel(client, dial(route, ownAddress), head);
    }
  });
  server.listen(socketPath);
  await once(server, "listening");

  return {
    socketPath,
    setRoute: (address, route) => routes.set(address, route),
    deleteRoute: (address) => routes.delete(address),
    async stop() {
      server.close();
      server.closeAllConnections();
      for (const socket of open) socket.destroy();
      await once(server, "close");
    },
  };
}

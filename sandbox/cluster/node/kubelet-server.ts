import { once } from "node:events";
import { createReadStream } from "node:fs";
import type { ServerResponse } from "node:http";
import { createServer } from "node:https";
import { connect } from "node:net";
import { forwardingSockets, servePortForward } from "./port-forward.ts";

/** What kube-apiserver asks of the kubelet on behalf of users. */
export interface KubeletServer {
  readonly port: number;
  stop(): Promise<void>;
}

export interface KubeletServerOptions {
  readonly certPem: string;
  readonly keyPem: string;
  /** The local port behind a port of a pod; undefined where nothing listens. */
  readonly portOf: (namespace: string, pod: string, port: number) => number | undefined;
  /** undefined for a container that is no process here. */
  readonly logPathOf: (namespace: string, pod: string) => string | undefined;
}

function serveLogs(path: string | undefined, response: ServerResponse): void {
  if (path === undefined) {
    response.writeHead(404).end("this container is no process in the sandbox, and has no log\n");
    return;
  }
  response.writeHead(200, { "content-type": "text/plain" });
  createReadStream(path)
    .on("error", () => response.end())
    .pipe(response);
}

/**
 * Port-forward over WebSocket (not SPDY, which kubectl still makes of it) and container logs, without
 * following them. kube-apiserver does not ask who answers and we do not ask who calls: both are one machine's
 * loopback.
 */
export async function startKubeletServer(options: KubeletServerOptions): Promise<KubeletServer> {
  const server = createServer({ cert: options.certPem, key: options.keyPem }, (request, response) => {
    const [, kind, namespace = "", pod = ""] = new URL(request.url ?? "/", "https://kubelet").pathname.split(
      "/",
    );
    if (kind === "containerLogs") serveLogs(options.logPathOf(namespace, pod), response);
    else response.writeHead(404).end();
  });
  const sockets = forwardingSockets();
  server.on("upgrade", (request, socket, head) => {
    const url = new URL(request.url ?? "/", "https://kubelet");
    const [, kind, namespace = "", pod = ""] = url.pathname.split("/");
    const ports = [...url.searchParams.getAll("port"), ...url.searchParams.getAll("ports")]
      .flatMap((value) => value.split(","))
      .map(Number);
    if (kind !== "portForward" || ports.length === 0) {
      socket.end("HTTP/1.1 404 Not Found\r\n\r\n");
      return;
    }
    sockets.handleUpgrade(request, socket, head, (client) => {
      servePortForward(client, ports, (port) => {
        const localPort = options.portOf(namespace, pod, port);
        // From loopback, as a kubelet connects: istiod answers `/debug/*` to loopback callers.
        return localPort === undefined ? undefined : connect({ port: localPort, host: "127.0.0.1" });
      });
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") {
    throw new Error("the kubelet stand-in has no port; free some local ports");
  }
  return {
    port: address.port,
    async stop() {
      for (const client of sockets.clients) client.terminate();
      server.close();
      server.closeAllConnections();
      await once(server, "close");
    },
  };
}

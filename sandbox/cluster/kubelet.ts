import { once } from "node:events";
import { createReadStream } from "node:fs";
import type { ServerResponse } from "node:http";
import { createServer } from "node:https";
import { connect, type Socket } from "node:net";
import { type WebSocket, WebSocketServer } from "ws";

/** What kube-apiserver asks of the kubelet on behalf of users. */
export interface Kubelet {
  readonly port: number;
  stop(): Promise<void>;
}

export interface KubeletOptions {
  readonly certPem: string;
  readonly keyPem: string;
  /** The local port behind a port of a pod; undefined where nothing listens. */
  readonly portOf: (namespace: string, pod: string, port: number) => number | undefined;
  /** undefined for a container that is no process here. */
  readonly logPathOf: (namespace: string, pod: string) => string | undefined;
}

/** In the order of preference; k8s.io/apimachinery/pkg/util/remotecommand/constants.go. */
const PROTOCOLS = ["v5.channel.k8s.io", "v4.channel.k8s.io"];

/** In v5 this channel number announces that the channel in the next byte ends. */
const CLOSE_CHANNEL = 255;

function channelMessage(channel: number, payload: Buffer): Buffer {
  return Buffer.concat([Buffer.from([channel]), payload]);
}

function littleEndian(port: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16LE(port);
  return bytes;
}

function sendChannel(socket: WebSocket, channel: number, payload: Buffer): void {
  if (socket.readyState === socket.OPEN) {
    socket.send(channelMessage(channel, payload));
  }
}

/** From loopback, as a kubelet connects: istiod answers `/debug/*` to loopback callers. */
function forwardPort(socket: WebSocket, index: number, localPort: number): Socket {
  const target = connect({ port: localPort, host: "127.0.0.1" });
  target.on("data", (chunk) => sendChannel(socket, index * 2, Buffer.from(chunk)));
  target.on("error", (error) => sendChannel(socket, index * 2 + 1, Buffer.from(error.message)));
  return target;
}

/** Per port a data channel (2n) and an error channel (2n + 1); each first says which port it is about. */
function servePortForward(
  socket: WebSocket,
  ports: readonly number[],
  dial: (port: number) => number | undefined,
) {
  const targets = new Map<number, Socket>();
  const ended = (index: number): void => {
    targets.delete(index);
    if (socket.protocol === PROTOCOLS[0]) {
      sendChannel(socket, CLOSE_CHANNEL, Buffer.from([index * 2]));
    }
    if (targets.size === 0) {
      socket.close(1000);
    }
  };
  for (const [index, port] of ports.entries()) {
    sendChannel(socket, index * 2, littleEndian(port));
    sendChannel(socket, index * 2 + 1, littleEndian(port));
    const localPort = dial(port);
    if (localPort === undefined) {
      sendChannel(socket, index * 2 + 1, Buffer.from(`nothing listens on port ${port} of the pod`));
    } else {
      const target = forwardPort(socket, index, localPort);
      targets.set(index, target);
      target.on("close", () => ended(index));
    }
  }
  if (targets.size === 0) {
    socket.close(1000);
  }
  socket.on("message", (data: Buffer) => {
    const channel = data[0] ?? CLOSE_CHANNEL;
    if (channel === CLOSE_CHANNEL) {
      targets.get((data[1] ?? 0) / 2)?.end();
    } else {
      targets.get(channel / 2)?.write(data.subarray(1));
    }
  });
  socket.on("close", () => {
    for (const target of targets.values()) {
      target.destroy();
    }
  });
  socket.on("error", () => socket.terminate());
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
 * Port-forward over WebSocket (not SPDY, which kubectl still makes of it) and container logs, without following
 * them. kube-apiserver does not ask who answers and we do not ask who calls: both are one machine's loopback.
 */
export async function startKubelet(options: KubeletOptions): Promise<Kubelet> {
  const server = createServer({ cert: options.certPem, key: options.keyPem }, (request, response) => {
    const [, kind, namespace = "", pod = ""] = new URL(request.url ?? "/", "https://kubelet").pathname.split(
      "/",
    );
    if (kind === "containerLogs") {
      serveLogs(options.logPathOf(namespace, pod), response);
    } else {
      response.writeHead(404).end();
    }
  });
  const sockets = new WebSocketServer({
    noServer: true,
    handleProtocols: (offered) => PROTOCOLS.find((protocol) => offered.has(protocol)) ?? false,
  });
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
      servePortForward(client, ports, (port) => options.portOf(namespace, pod, port));
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
    stop: async () => {
      for (const client of sockets.clients) {
        client.terminate();
      }
      server.close();
      server.closeAllConnections();
      await once(server, "close");
    },
  };
}

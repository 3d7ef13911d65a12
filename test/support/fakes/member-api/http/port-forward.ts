import type { Duplex } from "node:stream";
import { type WebSocket, WebSocketServer } from "ws";

/** A kubelet's, of those for bytes; k8s.io/cri-streaming/pkg/streaming/portforward/websocket.go. */
const PROTOCOL = "v4.channel.k8s.io";

/** Takes upgrades of any HTTP server. */
export function forwardingSockets(): WebSocketServer {
  return new WebSocketServer({
    noServer: true,
    handleProtocols: (offered) => offered.has(PROTOCOL) && PROTOCOL,
  });
}

function channelMessage(channel: number, payload: Buffer): Buffer {
  return Buffer.concat([Buffer.from([channel]), payload]);
}

function littleEndian(port: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16LE(port);
  return bytes;
}

function sendChannel(socket: WebSocket, channel: number, payload: Buffer): void {
  if (socket.readyState === socket.OPEN) socket.send(channelMessage(channel, payload));
}

/**
 * Per port a data channel (2n) and an error channel (2n + 1); each first says which port it is about. `dial`
 * opens a connection to the pod; undefined where nothing listens.
 */
export function servePortForward(
  socket: WebSocket,
  ports: readonly number[],
  dial: (port: number) => Duplex | undefined,
): void {
  const targets = new Map<number, Duplex>();
  const ended = (index: number): void => {
    targets.delete(index);
    if (targets.size === 0) socket.close(1000);
  };
  for (const [index, port] of ports.entries()) {
    sendChannel(socket, index * 2, littleEndian(port));
    sendChannel(socket, index * 2 + 1, littleEndian(port));
    const target = dial(port);
    if (target === undefined) {
      sendChannel(socket, index * 2 + 1, Buffer.from(`nothing listens on port ${port} of the pod`));
    } else {
      target.on("data", (chunk) => sendChannel(socket, index * 2, Buffer.from(chunk)));
      target.on("error", (error) => sendChannel(socket, index * 2 + 1, Buffer.from(error.message)));
      targets.set(index, target);
      target.on("close", () => ended(index));
    }
  }
  if (targets.size === 0) socket.close(1000);
  socket.on("message", (data: Buffer) => {
    const [channel = 0] = data;
    targets.get(channel / 2)?.write(data.subarray(1));
  });
  socket.on("close", () => {
    for (const target of targets.values()) target.destroy();
  });
  socket.on("error", () => socket.terminate());
}

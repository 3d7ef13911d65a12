import { once } from "node:events";
import { Duplex, PassThrough } from "node:stream";
import { type KubeConfig, PortForward } from "@kubernetes/client-node";
// The package's entry does not export it.
import { WebSocketHandler } from "@kubernetes/client-node/dist/web-socket-handler.js";
import { WebSocket } from "ws";

export interface PodPort {
  readonly namespace: string;
  readonly pod: string;
  readonly port: number;
}

/**
 * A byte stream to a port of a pod, through `pods/portforward`. The pod sees a connection from loopback,
 * which istiod's debug pages require. The signal limits the opening and closes the socket: the client itself
 * waits for ever for a server that accepts the connection and sends nothing. An open stream lasts until it is
 * destroyed.
 */
export async function forwardPort(
  config: KubeConfig,
  { namespace, pod, port }: PodPort,
  signal: AbortSignal,
): Promise<Duplex> {
  const fromPod = new PassThrough();
  const toPod = new PassThrough();
  const errors = new PassThrough();
  const socket = await opened(config, signal, (handler) =>
    new PortForward(config, true, handler).portForward(namespace, pod, [port], fromPod, errors, toPod),
  );

  const stream = Duplex.from({ readable: fromPod, writable: toPod });
  const fail = (reason: string) => stream.destroy(new Error(`port-forward to ${pod}:${port}: ${reason}`));
  errors.on("data", (text: Buffer) => {
    if (text.length > 0) fail(text.toString("utf8"));
  });
  socket.on("close", () => fromPod.end());
  socket.on("error", (error: Error) => fail(error.message));
  stream.on("error", () => undefined);
  void once(stream, "close").then(
    () => socket.close(),
    () => socket.close(),
  );
  return stream;
}

type Opening = ReturnType<PortForward["portForward"]>;

async function opened(
  config: KubeConfig,
  signal: AbortSignal,
  open: (handler: WebSocketHandler) => Opening,
): Promise<WebSocket> {
  signal.throwIfAborted();
  let socket: WebSocket | undefined;
  const stop = () => socket?.terminate();
  signal.addEventListener("abort", stop, { once: true });
  const connect = (uri: string, protocols: string[], options: object) => {
    socket = new WebSocket(uri, protocols, options);
    if (signal.aborted) stop();
    return socket;
  };
  try {
    await open(new WebSocketHandler(config, connect));
  } catch (error) {
    throw signal.aborted ? new Error("not opened in time", { cause: error }) : error;
  } finally {
    signal.removeEventListener("abort", stop);
  }
  if (socket === undefined) throw new Error("not opened");
  return socket;
}

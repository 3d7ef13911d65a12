import { once } from "node:events";
import { Duplex, PassThrough } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { type KubeConfig, PortForward } from "@kubernetes/client-node";
import { ISTIO_NAMESPACE } from "../../core/names.ts";

const OPEN_TIMEOUT_MS = 10_000;

/**
 * A byte stream to a port of a pod, through `pods/portforward`. The pod sees a connection from loopback, which is what
 * istiod's debug pages insist on.
 */
export async function forwardPort(config: KubeConfig, pod: string, port: number): Promise<Duplex> {
  const fromPod = new PassThrough();
  const toPod = new PassThrough();
  const errors = new PassThrough();
  const socket = await inTime(
    new PortForward(config).portForward(ISTIO_NAMESPACE, pod, [port], fromPod, errors, toPod),
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

type Opened = Awaited<ReturnType<PortForward["portForward"]>>;
type Socket = Exclude<Opened, () => unknown>;

/** The client waits for ever on a server that accepts the connection and says nothing; one that comes late is closed. */
async function inTime(opening: Promise<Opened>): Promise<Socket> {
  const opened = opening.then((socket) => (typeof socket === "function" ? socket() : socket));
  const late = Symbol("late");
  const timer = new AbortController();
  const patience = sleep(OPEN_TIMEOUT_MS, late, { signal: timer.signal }).catch(() => late);
  const first = await Promise.race([opened, patience]).finally(() => timer.abort());
  if (first === late) {
    void opened.then(
      (socket) => socket?.close(),
      () => undefined,
    );
    throw new Error(`not opened within ${OPEN_TIMEOUT_MS / 1000} s`);
  }
  if (first === null || typeof first === "symbol") throw new Error("not opened");
  return first;
}

import { once } from "node:events";
import { Duplex, PassThrough } from "node:stream";
import { type KubeConfig, PortForward } from "@kubernetes/client-node";
import { ISTIO_NAMESPACE } from "../../core/names.ts";

/**
 * A byte stream to a port of a pod, through `pods/portforward`. The pod sees a connection from loopback, which is what
 * istiod's debug pages insist on.
 */
export async function forwardPort(config: KubeConfig, pod: string, port: number): Promise<Duplex> {
  const fromPod = new PassThrough();
  const toPod = new PassThrough();
  const errors = new PassThrough();
  const opened = await new PortForward(config).portForward(
    ISTIO_NAMESPACE,
    pod,
    [port],
    fromPod,
    errors,
    toPod,
  );
  const socket = typeof opened === "function" ? opened() : opened;
  if (socket === null) throw new Error("the port-forward was not opened");

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

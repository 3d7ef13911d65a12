import { once } from "node:events";
import { createServer } from "node:http";
import { freePort } from "../os/free-port.ts";

export interface EchoServer {
  /** On 127.0.0.1. */
  readonly port: number;
  stop(): Promise<void>;
}

/** Answers with what the sidecar in front of it says of the caller: Envoy's `x-forwarded-client-cert`. */
export async function startEchoServer(): Promise<EchoServer> {
  const server = createServer((request, response) => {
    response.end(String(request.headers["x-forwarded-client-cert"] ?? ""));
  });
  const port = await freePort();
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  return {
    port,
    async stop() {
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

import { once } from "node:events";
import { createServer, type Server } from "node:http";
import { freePort } from "../os/free-port.ts";

export interface AppServer {
  /** On 127.0.0.1. */
  readonly port: number;
  /** Nothing listens then where the sidecar looks for it. Does nothing if it is stopped. */
  stop(): Promise<void>;
  /** Where it has listened before. Does nothing if it runs. */
  start(): Promise<void>;
}

export interface AppAnswer {
  readonly status: number;
  readonly body: string;
}

/** Each answer of a server to this path takes two seconds. */
export const SLOW_PATH = "/slow";
const SLOW_MS = 2000;

/**
 * Longer than the hour after which Envoy closes an idle connection (`common_http_protocol_options`), as an
 * application behind a proxy should have it. After Node's own 5 s the server would now and then close the
 * connection on which a request is coming.
 */
const KEEP_ALIVE_MS = 65 * 60_000;

/** `answer`: given what the sidecar in front of it says of the caller, Envoy's `x-forwarded-client-cert`. */
export async function startServer(answer: (caller: string) => AppAnswer): Promise<AppServer> {
  const port = await freePort();
  let server: Server | undefined;
  const start = async (): Promise<void> => {
    if (server !== undefined) return;
    server = createServer({ keepAliveTimeout: KEEP_ALIVE_MS }, ({ url, headers }, response) => {
      const end = (): void => {
        const { status, body } = answer(String(headers["x-forwarded-client-cert"] ?? ""));
        response.writeHead(status).end(body);
      };
      if (url === SLOW_PATH) setTimeout(end, SLOW_MS);
      else end();
    });
    server.listen(port, "127.0.0.1");
    await once(server, "listening");
  };
  await start();
  return {
    port,
    start,
    async stop() {
      const running = server;
      server = undefined;
      if (running === undefined) return;
      const closed = once(running, "close");
      running.close();
      running.closeAllConnections();
      await closed;
    },
  };
}

/** Answers with what the sidecar in front of it says of the caller. */
export async function startEchoServer(): Promise<AppServer> {
  return await startServer((caller) => ({ status: 200, body: caller }));
}

import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";

export interface LocalServer {
  /** `127.0.0.1:port`. */
  readonly host: string;
  /** `http://127.0.0.1:port`. */
  readonly url: string;
  readonly port: number;
  /** Ends open connections too: a kept-alive client must not hold the sandbox open. */
  close(): Promise<void>;
}

export type Listener = (request: IncomingMessage, response: ServerResponse) => void | Promise<void>;

/**
 * Listens on loopback, on a port of the system's choice unless one is given. A listener that fails cuts its
 * connection.
 */
export async function listen(listener: Listener, port = 0): Promise<LocalServer> {
  const server = createServer((request, response) => {
    Promise.try(listener, request, response).catch(() => response.destroy());
  });
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string")
    throw new Error("the server has no TCP port; listen on one");
  const bound = address.port;
  const host = `127.0.0.1:${bound}`;
  return { host, url: `http://${host}`, port: bound, close: () => close(server) };
}

async function close(server: Server): Promise<void> {
  if (!server.listening) return;
  const closed = once(server, "close");
  server.close();
  server.closeAllConnections();
  await closed;
}

export async function readBody(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks);
}

/** The path and query of a request; the host of a server-side URL says nothing. */
export function requestUrl(request: IncomingMessage): URL {
  return new URL(request.url ?? "/", "http://localhost");
}

export function bearerToken(request: IncomingMessage): string | undefined {
  return /^Bearer (?<token>\S+)$/i.exec(request.headers.authorization ?? "")?.groups?.["token"];
}

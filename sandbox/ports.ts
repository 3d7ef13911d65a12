import { randomInt } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:net";

/**
 * Below the ports that Linux (32768) and macOS (49152) give to outgoing connections: none of the sandbox's own
 * connections can take the port between this check and the listener that it is meant for.
 */
const LOWEST = 20_000;
const HIGHEST = 32_000;

const handedOut = new Set<number>();

async function isFree(port: number, host: string): Promise<boolean> {
  const server = createServer();
  try {
    server.listen(port, host);
    await once(server, "listening");
    return true;
  } catch {
    return false;
  } finally {
    server.close();
  }
}

/** A port of an address of this machine that nobody listens on, and that this process has not handed out before. */
export async function freePort(host = "127.0.0.1"): Promise<number> {
  for (let attempt = 0; attempt < 200; attempt += 1) {
    const port = randomInt(LOWEST, HIGHEST);
    if (!handedOut.has(port)) {
      handedOut.add(port);
      if (await isFree(port, host)) {
        return port;
      }
    }
  }
  throw new Error(`no free port between ${LOWEST} and ${HIGHEST}; end processes that listen there`);
}

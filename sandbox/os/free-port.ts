import { randomInt } from "node:crypto";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { createServer } from "node:net";

/**
 * Below the ports that Linux (32768) and macOS (49152) give to outgoing connections: none of the sandbox's
 * own connections can take the port between this check and the listener that it is meant for.
 */
const LOWEST = 20_000;
const HIGHEST = 32_000;
const ATTEMPTS = 200;

/** Some processes listen on one address, others on all, as Envoy for its metrics. Both count. */
const ANY_ADDRESS = "0.0.0.0";

/**
 * Whether this process alone may hand out the port, once. The claim is the UDP port of the same number, of
 * which nothing here makes use. It lasts as long as the process, and every other sandbox of the machine sees
 * it.
 */
async function claim(port: number): Promise<boolean> {
  const socket = createSocket("udp4").unref();
  try {
    const bound = once(socket, "listening");
    socket.bind({ port, address: ANY_ADDRESS, exclusive: true });
    await bound;
    return true;
  } catch {
    socket.close();
    return false;
  }
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  try {
    server.listen(port, ANY_ADDRESS);
    await once(server, "listening");
    return true;
  } catch {
    return false;
  } finally {
    server.close();
  }
}

/** No process of this machine listens on it at any address, and no sandbox that still runs was given it. */
export async function freePort(): Promise<number> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    const port = randomInt(LOWEST, HIGHEST);
    if ((await claim(port)) && (await isFree(port))) return port;
  }
  throw new Error(`no free port between ${LOWEST} and ${HIGHEST}; end processes that listen there`);
}

/** From a claimed port to one that is free for UDP, too: the range below, of which nothing else hands out. */
const FOR_UDP = LOWEST - HIGHEST;

/** The same, for a process that listens for UDP, too. The claim is the port above it. */
export async function freeUdpPort(): Promise<number> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    const port = (await freePort()) + FOR_UDP;
    if ((await isFreeForUdp(port)) && (await isFree(port))) return port;
  }
  throw new Error(`no port below ${LOWEST} is free for UDP; end processes that listen there`);
}

async function isFreeForUdp(port: number): Promise<boolean> {
  const socket = createSocket("udp4");
  try {
    const bound = once(socket, "listening");
    socket.bind({ port, address: ANY_ADDRESS, exclusive: true });
    await bound;
    return true;
  } catch {
    return false;
  } finally {
    socket.close();
  }
}

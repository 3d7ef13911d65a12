import { createSocket } from "node:dgram";
import { once } from "node:events";

/** `127.65` to `127.126`. */
const FIRST = 65;
const LAST = 126;
/** Of the claim alone; nothing uses it. */
const PORT = 15_443;

/**
 * The first two bytes of loopback addresses that this process alone hands out, such as `127.65`. The claim is
 * a UDP port of one of them. It lasts as long as the process, and every other sandbox of the machine sees it.
 */
export async function ownLoopback(): Promise<string> {
  for (let byte = FIRST; byte <= LAST; byte += 1) {
    const prefix = `127.${byte}`;
    if (await claim(`${prefix}.255.254`)) return prefix;
  }
  throw new Error("every loopback address is in use; stop another sandbox");
}

async function claim(address: string): Promise<boolean> {
  const socket = createSocket("udp4").unref();
  try {
    socket.bind({ address, port: PORT, exclusive: true });
    await once(socket, "listening");
    return true;
  } catch {
    socket.close();
    return false;
  }
}

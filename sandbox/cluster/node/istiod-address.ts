import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { freePort } from "../../os/free-port.ts";

export interface IstiodAddress {
  /** `127.0.0.1:PORT` */
  readonly address: string;
  stop(): Promise<void>;
}

/**
 * Stands for the Service `istiod`: the one address that sidecars are given. It leads to the present pod.
 * Connections end with their pod, and new ones go to the next.
 */
export async function serveIstiodAddress(current: () => string | undefined): Promise<IstiodAddress> {
  const open = new Set<Socket>();
  const track = (socket: Socket): void => {
    open.add(socket);
    socket.on("close", () => open.delete(socket));
  };
  const server = createServer((client) => {
    track(client);
    const port = Number(current()?.split(":")[1]);
    if (Number.isNaN(port)) {
      client.destroy();
      return;
    }
    const istiod = connect({ host: "127.0.0.1", port });
    track(istiod);
    for (const [socket, other] of [
      [client, istiod],
      [istiod, client],
    ] as const) {
      socket.pipe(other);
      socket.on("error", () => other.destroy());
      socket.on("close", () => other.destroy());
    }
  });
  const port = await freePort();
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  return {
    address: `127.0.0.1:${port}`,
    async stop() {
      const closed = once(server, "close");
      server.close();
      for (const socket of open) socket.destroy();
      await closed;
    },
  };
}

import { connect } from "node:net";

export interface Door {
  readonly host: string;
  readonly port: number;
  /** Any of this machine unless given. */
  readonly localAddress: string | undefined;
}

const PATIENCE_MS = 3000;

/**
 * Speaks HTTP without TLS; answers with the code of the error that it ends with, `closed`, or `no answer`.
 */
export async function knock({ host, port, localAddress }: Door): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  const socket = connect({ host, port, ...(localAddress !== undefined && { localAddress }) });
  socket.on("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
  socket.on("end", () => resolve("closed"));
  socket.resume();
  socket.write("GET / HTTP/1.1\r\nHost: hello\r\nConnection: close\r\n\r\n");
  const patience = setTimeout(resolve, PATIENCE_MS, "no answer");
  try {
    return await promise;
  } finally {
    clearTimeout(patience);
    socket.destroy();
  }
}

import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { platform } from "node:os";
import { setTimeout as delay } from "node:timers/promises";
import { cut } from "../os/cut.ts";
import { faultAnswers } from "./fault-answers.ts";

/**
 * `refuse` resets every connection, open ones too; `delay` holds what clients send back for `delayMs`;
 * `status` answers every request with it in the server's place.
 */
export type ProxyFault =
  | { readonly kind: "refuse" }
  | { readonly kind: "delay"; readonly delayMs: number }
  | { readonly kind: "status"; readonly status: number };

/**
 * A TCP proxy in front of one port of this machine, through which its clients see it slow, unreachable or
 * refusing.
 */
export interface FaultProxy {
  readonly port: number;
  /** Holds until it is set again; undefined for none. What was held back is sent on at once then. */
  setFault(fault: ProxyFault | undefined): void;
  stop(): Promise<void>;
}

interface FaultState {
  fault: ProxyFault | undefined;
  /** Aborted whenever the fault changes. */
  changed: AbortController;
}

interface Held {
  readonly chunk: Buffer;
  readonly arrivedAt: number;
}

const HOLD_LIMIT = 256;

/**
 * An address of loopback of its own for each connection, so that the API server's audit log tells connections
 * apart. Linux has the whole of 127.0.0.0/8, macOS 127.0.0.1 alone.
 */
function sourceAddress(connection: number): { localAddress?: string } {
  if (platform() !== "linux") return {};
  const [high, middle, low] = [1 + (connection >> 16), (connection >> 8) & 0xff, connection & 0xff];
  return { localAddress: `127.${high}.${middle}.${low}` };
}

/** Each chunk waits from its own arrival, so that a long upload is late once and not once per chunk. */
async function waitForDelay(state: FaultState, arrivedAt: number): Promise<void> {
  const { fault, changed } = state;
  const wait = fault?.kind === "delay" ? arrivedAt + fault.delayMs - Date.now() : 0;
  if (wait > 0) await delay(wait, undefined, { signal: changed.signal }).catch(() => undefined);
}

function forward(state: FaultState, from: Socket, to: Socket): void {
  const held: Held[] = [];
  let sending = false;
  let ended = false;

  const send = async (): Promise<void> => {
    sending = true;
    for (let next = held.shift(); next !== undefined; next = held.shift()) {
      await waitForDelay(state, next.arrivedAt);
      if (!to.destroyed && !to.write(next.chunk)) {
        await Promise.race([once(to, "drain"), once(to, "close")]).catch(() => undefined);
      }
      from.resume();
    }
    sending = false;
    if (ended) to.end();
  };

  from.on("data", (chunk) => {
    held.push({ chunk: Buffer.from(chunk), arrivedAt: Date.now() });
    if (held.length >= HOLD_LIMIT) from.pause();
    if (!sending) void send();
  });
  from.on("end", () => {
    ended = true;
    if (!sending) to.end();
  });
}

/** `identity` (PEM) is what the server behind it shows to its TLS clients. */
export async function startFaultProxy(
  targetPort: number,
  identity: { readonly cert: string; readonly key: string },
): Promise<FaultProxy> {
  const state: FaultState = { fault: undefined, changed: new AbortController() };
  const open = new Set<Socket>();
  const answers = faultAnswers(identity);
  let accepted = 0;

  const server = createServer({ allowHalfOpen: true }, (client) => {
    accepted += 1;
    client.on("error", () => client.destroy());
    if (state.fault?.kind === "refuse") {
      cut(client);
      return;
    }
    open.add(client);
    client.on("close", () => open.delete(client));
    if (state.fault?.kind === "status") {
      answers.take(client);
      return;
    }
    const target = connect({
      port: targetPort,
      host: "127.0.0.1",
      allowHalfOpen: true,
      ...sourceAddress(accepted),
    });
    client.setNoDelay(true);
    target.setNoDelay(true);
    forward(state, client, target);
    target.pipe(client);
    target.on("error", () => cut(client));
    target.on("close", () => client.destroySoon());
    client.on("close", () => target.destroy());
  });

  const resetAll = (): void => {
    for (const socket of open) cut(socket);
  };

  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") {
    throw new Error("the proxy in front of kube-apiserver has no port; free some local ports");
  }

  return {
    port: address.port,
    setFault(fault) {
      const answered = state.fault?.kind === "status";
      state.fault = fault;
      state.changed.abort();
      state.changed = new AbortController();
      if (fault?.kind === "status") answers.setStatus(fault.status);
      // Open connections still speak with the former side: kube-apiserver, or the proxy's own answers.
      if (answered || fault?.kind === "refuse" || fault?.kind === "status") resetAll();
    },
    async stop() {
      state.changed.abort();
      server.close();
      resetAll();
      await once(server, "close");
    },
  };
}

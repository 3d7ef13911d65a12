import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";
import type { ProxyNetwork } from "../cluster/proxies.ts";
import type { PodFirewall, VpcPod } from "../google/compute/pod-firewall.ts";

/** A pod whose processes run on this machine. */
export interface TrafficPod extends VpcPod {
  /** `127.a.b.c`: where it listens, and the source of the connections that it opens, by which it is known. */
  readonly loopback: string;
}

/** Between pods: lets connections through as the firewall says at the time when they are opened. */
export interface Vpc extends ProxyNetwork {
  addPod(clusterId: string): TrafficPod;
  /** Offers a port of a pod on the one address that pods of all clusters have here. */
  expose(pod: TrafficPod, port: number): Promise<void>;
  /** Resets the connections that are open, as a router that restarts; new ones are let through as ever. */
  cut(): void;
  /** Ends all connections. */
  stop(): Promise<void>;
}

export interface VpcOptions {
  readonly hostAddress: string;
  readonly firewall: Pick<PodFirewall, "lets" | "letsToBalancer" | "newAddress">;
  /** Until a connection that was not let through is looked at once more; doubled each time. */
  readonly synRetryMs?: number;
}

/** As Linux sends a SYN again: 1, 3, 7 … seconds after the first. */
const SYN_RETRY_MS = 1000;
const PROBE_MS = 1000;
/** Each side closes when it likes, and nothing waits for the acknowledgement of what was sent before it. */
const TCP = { allowHalfOpen: true, noDelay: true };
const BYTE = 256;
const PROBE_SOURCE = "127.64.255.254";

/**
 * Whether a process can listen on any `127.a.b.c`, and be known by it at the host's own address: so on Linux;
 * macOS has 127.0.0.1 alone.
 */
export async function canTellPodsApart(hostAddress: string): Promise<boolean> {
  const listeners = [createServer(), createServer()] as const;
  const signal = AbortSignal.timeout(PROBE_MS);
  const open: Socket[] = [];
  try {
    const [atHost, atLoopback] = listeners;
    await Promise.all([
      listening(atHost, 0, hostAddress, signal),
      listening(atLoopback, 0, PROBE_SOURCE, signal),
    ]);
    const accepted = once(atHost, "connection", { signal });
    const probe = connect({ host: hostAddress, port: portOf(atHost), localAddress: PROBE_SOURCE });
    probe.on("error", () => probe.destroy());
    open.push(probe);
    const [socket]: Socket[] = await accepted;
    if (socket !== undefined) open.push(socket);
    return socket?.remoteAddress === PROBE_SOURCE;
  } catch {
    return false;
  } finally {
    for (const socket of open) socket.destroy();
    for (const listener of listeners) listener.close();
  }
}

/** Where connections that are let through go on to. */
interface Destination {
  readonly host: string;
  readonly port: number;
  /** `undefined`: to what is no pod, as a user on the internet. */
  readonly isOpenTo: (source: TrafficPod | undefined) => boolean;
  /** What new connections wait for; undefined: nothing. */
  readonly held?: () => Promise<void> | undefined;
}

export function startVpc({ hostAddress, firewall, synRetryMs = SYN_RETRY_MS }: VpcOptions): Vpc {
  const pods = new Map<string, TrafficPod>();
  const servers: Server[] = [];
  const open = new Set<Socket>();
  const holds = new Map<string, Promise<void>>();
  const track = (socket: Socket): void => {
    open.add(socket);
    socket.on("close", () => open.delete(socket));
  };

  const forward = (client: Socket, source: TrafficPod | undefined, { host, port }: Destination): Socket => {
    const localAddress = source?.loopback;
    const target = connect({ host, port, ...(localAddress !== undefined && { localAddress }), ...TCP });
    track(target);
    client.on("error", () => reset(target));
    target.on("error", () => reset(client));
    target.pipe(client);
    return target;
  };

  const accept = (client: Socket, destination: Destination): void => {
    track(client);
    const source = pods.get(client.remoteAddress ?? "");
    const early: Buffer[] = [];
    const keep = (chunk: Buffer) => early.push(chunk);
    const giveUp = () => client.destroy();
    // Node notices that the client gives up only while the socket is read.
    client.on("data", keep).on("end", giveUp).on("error", giveUp);
    const look = (waitMs: number): void => {
      if (client.destroyed) return;
      if (!destination.isOpenTo(source)) {
        setTimeout(look, waitMs, 2 * waitMs).unref();
        return;
      }
      const held = destination.held?.();
      if (held !== undefined) {
        void held.then(() => look(waitMs));
        return;
      }
      client.off("data", keep).off("end", giveUp).off("error", giveUp);
      const target = forward(client, source, destination);
      for (const chunk of early) target.write(chunk);
      client.pipe(target);
    };
    look(synRetryMs);
  };

  return {
    addPod(clusterId) {
      const index = pods.size + 1;
      const loopback = `127.64.${Math.floor(index / BYTE)}.${index % BYTE}`;
      const pod = { clusterId, address: firewall.newAddress(clusterId), loopback };
      pods.set(loopback, pod);
      return pod;
    },
    async expose(pod, port) {
      const destination: Destination = {
        host: pod.loopback,
        port,
        isOpenTo: (source) => source !== undefined && firewall.lets(source, pod, port),
      };
      const server = createServer(TCP, (client) => accept(client, destination));
      servers.push(server);
      await listening(server, port, hostAddress);
    },
    async balance({ address, port, target, ...balancer }) {
      const destination: Destination = {
        host: "127.0.0.1",
        port: target,
        isOpenTo: (source) => firewall.letsToBalancer(source, { ...balancer, port }),
        held: () => holds.get(balancer.clusterId),
      };
      const through = new Set<Socket>();
      const server = createServer(TCP, (client) => {
        through.add(client);
        client.on("close", () => through.delete(client));
        accept(client, destination);
      });
      servers.push(server);
      await listening(server, port, address);
      return async () => {
        const end = once(server, "close");
        servers.splice(servers.indexOf(server), 1);
        server.close();
        for (const client of through) client.destroy();
        await end;
      };
    },
    async hold(clusterId, work) {
      const before = holds.get(clusterId) ?? Promise.resolve();
      const working = before.then(work);
      const over = working
        .catch(() => undefined)
        .finally(() => {
          if (holds.get(clusterId) === over) holds.delete(clusterId);
        });
      holds.set(clusterId, over);
      await working;
    },
    cut() {
      for (const socket of open) reset(socket);
    },
    async stop() {
      const closed = servers.splice(0).map(async (server) => {
        const end = once(server, "close");
        server.close();
        await end;
      });
      for (const socket of open) socket.destroy();
      await Promise.all(closed);
    },
  };
}

/**
 * libuv refuses to reset a socket that is being shut down. Node then never closes the handle, and its process
 * never ends.
 */
function reset(socket: Socket): void {
  if (socket.writableEnded) socket.destroy();
  else socket.resetAndDestroy();
}

async function listening(server: Server, port: number, host: string, signal?: AbortSignal): Promise<void> {
  server.listen(port, host);
  await once(server, "listening", { ...(signal !== undefined && { signal }) });
}

function portOf(server: Server): number {
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the server does not listen");
  return address.port;
}

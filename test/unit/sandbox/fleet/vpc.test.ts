import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { canTellPodsApart, startVpc, type TrafficPod, type Vpc } from "../../../../sandbox/fleet/vpc.ts";
import { freePort } from "../../../../sandbox/os/free-port.ts";
import { hostAddress } from "../../../../sandbox/os/host-address.ts";

const HOST = hostAddress() ?? "127.0.0.1";
/** Long enough to see that nothing comes. */
const SILENCE_MS = 300;
const SYN_RETRY_MS = 20;
/** Elsewhere pods cannot be told apart. */
const describeOnLinux = process.platform === "linux" ? describe : describe.skip;

let allowed: string[];
let servers: Server[];
let vpc: Vpc;

beforeEach(() => {
  allowed = [];
  servers = [];
  let last = 0;
  vpc = startVpc({
    hostAddress: HOST,
    synRetryMs: SYN_RETRY_MS,
    firewall: {
      newAddress: () => `10.0.0.${(last += 1)}`,
      letsToBalancer: () => true,
      lets: (from, to, port) => allowed.includes(`${from.clusterId} to ${to.clusterId}:${port}`),
    },
  });
});

afterEach(async () => {
  await vpc.stop();
  for (const server of servers) server.close();
});

/** Answers each line with the address that it sees as the caller's. */
async function aServer(clusterId: string): Promise<{ readonly pod: TrafficPod; readonly port: number }> {
  const pod = vpc.addPod(clusterId);
  const port = await freePort();
  const server = createServer((socket) => {
    socket.on("data", (line) => socket.write(`${socket.remoteAddress} says ${line.toString()}`));
    socket.on("error", () => socket.destroy());
  });
  servers.push(server);
  server.listen(port, pod.loopback);
  await once(server, "listening");
  await vpc.expose(pod, port);
  return { pod, port };
}

/** On 127.0.0.1, behind a load balancer; answers `well`. */
async function aListener(note: () => void): Promise<number> {
  const server = createServer((socket) => {
    note();
    socket.on("data", () => socket.write("well"));
    socket.on("error", () => socket.destroy());
  });
  servers.push(server);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const at = server.address();
  return typeof at === "object" && at !== null ? at.port : 0;
}

function open(port: number, localAddress: string): Socket {
  const socket = connect({ host: HOST, port, localAddress });
  socket.on("error", () => undefined);
  socket.write("hello");
  return socket;
}

/** The first bytes that come, the error, or `silence`. */
async function answerOf(socket: Socket, patienceMs = SILENCE_MS): Promise<string> {
  const waiting = new AbortController();
  try {
    return await Promise.race([
      once(socket, "data", waiting).then(([data]) => String(data)),
      once(socket, "close", waiting).then(() => "closed"),
      sleep(patienceMs, "silence", waiting),
    ]);
  } catch (error) {
    return String(error);
  } finally {
    waiting.abort();
  }
}

describeOnLinux("the VPC between pods", () => {
  it("can tell them apart on this machine", async () => {
    expect(await canTellPodsApart(HOST)).toBe(true);
  });

  it("cannot where the host's address is none of this machine", async () => {
    expect(await canTellPodsApart("192.0.2.1")).toBe(false);
  });

  it("lets through what the firewall does, and shows the pod that asks", async () => {
    const { port } = await aServer("b");
    const client = vpc.addPod("a");
    allowed = [`a to b:${port}`];
    expect(await answerOf(open(port, client.loopback))).toBe(`${client.loopback} says hello`);
  });

  it("gives no answer to the pod of another pair, nor to what is no pod", async () => {
    const { pod, port } = await aServer("b");
    allowed = [`a to b:${port}`, `c to b:${port + 1}`, `b to c:${port}`];
    for (const source of [vpc.addPod("c").loopback, pod.loopback, "127.0.0.1", HOST]) {
      expect(await answerOf(open(port, source))).toBe("silence");
    }
  });

  it("lets a waiting connection through once the firewall does, with all that was sent", async () => {
    const { port } = await aServer("b");
    const client = vpc.addPod("a");
    const socket = open(port, client.loopback);
    expect(await answerOf(socket)).toBe("silence");
    allowed = [`a to b:${port}`];
    expect(await answerOf(socket, 10_000)).toBe(`${client.loopback} says hello`);
  });

  it("opens no connection behind a load balancer while something holds it, and then all that came", async () => {
    const client = vpc.addPod("a");
    let connections = 0;
    const target = await aListener(() => (connections += 1));
    const port = await freePort();
    const balancer = { clusterId: "b", address: HOST, port, isInternal: true, sourceRanges: [], target };
    await vpc.balance(balancer);
    const early: Socket[] = [];
    await vpc.hold("b", async () => {
      const socket = open(port, client.loopback);
      early.push(socket);
      expect([await answerOf(socket), connections]).toEqual(["silence", 0]);
    });
    expect(await Promise.all(early.map((socket) => answerOf(socket)))).toEqual(["well"]);
    await vpc.hold("c", async () => {
      expect(await answerOf(open(port, client.loopback))).toBe("well");
    });
  });

  it("lets somebody who is no pod in to a load balancer that is open to the internet", async () => {
    const port = await freePort();
    const target = await aListener(() => undefined);
    await vpc.balance({ clusterId: "b", address: HOST, port, isInternal: false, sourceRanges: [], target });
    expect(await answerOf(open(port, "127.0.0.1"))).toBe("well");
  });

  it("leaves a connection alone that was let through before", async () => {
    const { port } = await aServer("b");
    const client = vpc.addPod("a");
    allowed = [`a to b:${port}`];
    const socket = open(port, client.loopback);
    await answerOf(socket);
    allowed = [];
    socket.write("again");
    expect(await answerOf(socket)).toBe(`${client.loopback} says again`);
    expect(await answerOf(open(port, client.loopback))).toBe("silence");
  });

  it("resets a connection to a port of the pod on which nobody listens", async () => {
    const pod = vpc.addPod("b");
    const port = await freePort();
    await vpc.expose(pod, port);
    allowed = [`a to b:${port}`];
    expect(await answerOf(open(port, vpc.addPod("a").loopback), 10_000)).toContain("ECONNRESET");
  });

  it("forgets a connection whose client gives up", async () => {
    const { port } = await aServer("b");
    const client = vpc.addPod("a");
    let reached = 0;
    servers.at(-1)?.on("connection", () => (reached += 1));
    const socket = open(port, client.loopback);
    await answerOf(socket);
    const closed = once(socket, "close");
    socket.end();
    await closed;
    allowed.push(`a to b:${port}`);
    await sleep(SILENCE_MS);
    expect(reached).toBe(0);
    await answerOf(open(port, client.loopback));
    expect(reached).toBe(1);
  });
});

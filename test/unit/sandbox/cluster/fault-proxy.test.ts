import { once } from "node:events";
import { connect, createServer, type Server } from "node:net";
import { platform } from "node:os";
import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { Pool } from "undici";
import { type FaultProxy, startFaultProxy } from "../../../../sandbox/cluster/fault-proxy.ts";
import { freePort } from "../../../../sandbox/os/free-port.ts";
import { makeRoot } from "../../../../shared/pki/make-root.ts";

describe("startFaultProxy", () => {
  let echo: Server;
  let proxy: FaultProxy;

  const sources: (string | undefined)[] = [];

  beforeEach(async () => {
    sources.length = 0;
    echo = createServer((socket) => {
      sources.push(socket.remoteAddress);
      socket.on("error", () => socket.destroy()).pipe(socket);
    });
    const port = await freePort();
    echo.listen(port, "127.0.0.1");
    await once(echo, "listening");
    const { certificate: cert, privateKey: key } = await makeRoot({ now: new Date() });
    proxy = await startFaultProxy(port, { cert, key });
  });

  afterEach(async () => {
    await proxy.stop();
    echo.close();
  });

  async function roundTripMs(): Promise<number> {
    const socket = connect({ port: proxy.port, host: "127.0.0.1" });
    await once(socket, "connect");
    const sentAt = performance.now();
    socket.write("hello");
    await once(socket, "data");
    socket.destroy();
    return performance.now() - sentAt;
  }

  it("passes data", async () => {
    await expect(roundTripMs()).resolves.toBeGreaterThan(0);
  });

  it("gives each connection an address of its own where loopback has more than one", async () => {
    await roundTripMs();
    await roundTripMs();
    const addresses = platform() === "linux" ? ["127.1.0.1", "127.1.0.2"] : ["127.0.0.1", "127.0.0.1"];
    expect(sources).toEqual(addresses);
  });

  it("refuses new connections and resets open ones", async () => {
    const open = connect({ port: proxy.port, host: "127.0.0.1" });
    await once(open, "connect");
    open.write("hello");
    await once(open, "data");
    const reset = once(open, "error");
    proxy.setFault({ kind: "refuse" });
    await expect(reset).resolves.toMatchObject([{ code: "ECONNRESET" }]);
    await expect(roundTripMs()).rejects.toThrow(/ECONNRESET|EPIPE/);
    proxy.setFault(undefined);
    await expect(roundTripMs()).resolves.toBeGreaterThan(0);
  });

  async function answered(): Promise<{ readonly status: number; readonly reason: string }> {
    const pool = new Pool(`https://127.0.0.1:${proxy.port}`, { connect: { rejectUnauthorized: false } });
    try {
      const { statusCode, body } = await pool.request({ method: "GET", path: "/api/v1/pods" });
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a Status
      const { reason } = (await body.json()) as { reason: string };
      return { status: statusCode, reason };
    } finally {
      await pool.destroy();
    }
  }

  it.each([
    [401, "Unauthorized"],
    [403, "Forbidden"],
    [409, "Conflict"],
    [429, "TooManyRequests"],
    [500, "InternalError"],
  ])("answers %i in the server's place, on connections that were open too", async (status, reason) => {
    const open = connect({ port: proxy.port, host: "127.0.0.1" });
    await once(open, "connect");
    open.write("hello");
    await once(open, "data");
    const reset = once(open, "error");
    proxy.setFault({ kind: "status", status });
    await expect(reset).resolves.toMatchObject([{ code: "ECONNRESET" }]);
    expect(await answered()).toEqual({ status, reason });
    proxy.setFault(undefined);
    await expect(roundTripMs()).resolves.toBeGreaterThan(0);
  });

  it("holds what the client sends for the delay", async () => {
    proxy.setFault({ kind: "delay", delayMs: 150 });
    await expect(roundTripMs()).resolves.toBeGreaterThanOrEqual(140);
  });

  it("sends what it held on as soon as the fault is over", async () => {
    const delayMs = 60_000;
    proxy.setFault({ kind: "delay", delayMs });
    const trip = roundTripMs();
    setTimeout(() => proxy.setFault(undefined), 50);
    await expect(trip).resolves.toBeLessThan(delayMs);
  });
});

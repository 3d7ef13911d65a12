import { once } from "node:events";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { KubeConfig } from "@kubernetes/client-node";
import type { ApiConnection } from "../../../../shared/adapters/member-api/connection.ts";
import { istiodProbe } from "../../../../shared/adapters/member-api/istiod.ts";
import type { IstiodSession } from "../../../../shared/ports/member-api.ts";

let server: Server;
let session: IstiodSession;
let connections: Socket[];

/** An API server that takes every connection, reads what it is asked, and never says a word. */
beforeEach(async () => {
  connections = [];
  server = createServer((socket) => {
    connections.push(socket);
    socket.on("error", () => undefined).resume();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- it listens on a port
  const { port } = server.address() as AddressInfo;
  const config = new KubeConfig();
  config.loadFromClusterAndUser(
    { name: "member", server: `http://127.0.0.1:${port}`, skipTLSVerify: true },
    { name: "meshjoin", token: "token" },
  );
  const api: Pick<ApiConnection, "kubeConfig"> = { kubeConfig: async () => await Promise.resolve(config) };
  session = istiodProbe(api, {}).open("istiod-1");
});
afterEach(() => {
  session.close();
  for (const socket of connections) socket.destroy();
  server.close();
});

const UNREACHABLE = { status: "rejected", reason: { code: "ApiServerUnreachable" } };

const QUESTIONS = {
  remoteClusters: async (signal: AbortSignal) => await session.remoteClusters(signal),
  servedChain: async (signal: AbortSignal) => await session.servedChain(signal),
};

describe.each(Object.entries(QUESTIONS))("%s of an istiod", (_, ask) => {
  it("settles when its signal has already ended, and opens no port-forward", async () => {
    await expect(ask(AbortSignal.abort())).rejects.toMatchObject({ code: "ApiServerUnreachable" });
    expect(connections).toEqual([]);
  });

  it("settles when its signal ends while a port-forward is being opened, and leaves no connection", async () => {
    const deadline = new AbortController();
    const asked = Promise.allSettled([ask(deadline.signal)]);
    await once(server, "connection");
    deadline.abort();
    expect(await asked).toMatchObject([UNREACHABLE]);
    await Promise.all(connections.map((socket) => once(socket, "close")));
  });

  it("does not outlive its session", async () => {
    const asked = Promise.allSettled([ask(new AbortController().signal)]);
    await once(server, "connection");
    session.close();
    expect(await asked).toMatchObject([UNREACHABLE]);
    await Promise.all(connections.map((socket) => once(socket, "close")));
  });
});

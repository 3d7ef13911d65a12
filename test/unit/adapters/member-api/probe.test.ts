import { once } from "node:events";
import { createServer, type Server } from "node:http";
import { createServer as createHttp2Server, type ServerHttp2Stream } from "node:http2";
import { type Duplex, duplexPair } from "node:stream";
import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { KubeConfig } from "@kubernetes/client-node";
import type { ApiConnection } from "../../../../shared/adapters/member-api/connection.ts";
import { sidecarProbe } from "../../../../shared/adapters/member-api/probe.ts";
import type { ProbeSession } from "../../../../shared/ports/member-api.ts";
import { forwardingSockets, servePortForward } from "../../../support/fakes/member-api/http/port-forward.ts";

let api: Server;
let session: ProbeSession;
let forwards: string[];
/** Questions that came, and the sessions that carried them. */
let asked: string[];
let connections: number;
/** Characters of an answer without an end. */
let sent = 0;
let sockets: ReturnType<typeof forwardingSockets>;

const ask = createHttp2Server();
const admin = createServer((request, response) => {
  const url = new URL(request.url ?? "/", "http://localhost");
  const pattern = new RegExp(url.searchParams.get("filter") ?? "");
  const all = ["cn-a", "cn-b"].map((id) => ({
    name: `outbound|15841|${id}|probe.meshjoin-probe.svc.cluster.local`,
    host_statuses: [
      {
        address: { socket_address: { address: "10.0.0.7", port_value: 15_842 } },
        health_status: { eds_health_status: id === "cn-a" ? "HEALTHY" : "UNHEALTHY" },
      },
    ],
  }));
  response.end(JSON.stringify({ cluster_statuses: all.filter(({ name }) => pattern.test(name)) }));
});
ask.on("session", () => {
  connections += 1;
});
ask.on("stream", (stream: ServerHttp2Stream, headers) => {
  asked.push(`${headers[":authority"]}${headers[":path"]}`);
  if (headers[":path"] === "/to/cn-silent") return;
  stream.respond({ ":status": 200, "x-ask-details": "via_upstream", "x-ask-flags": "-" });
  if (headers[":path"] === "/to/cn-endless") {
    const send = (): void => {
      while (!stream.destroyed && stream.write("x".repeat(16_384))) sent += 16_384;
    };
    stream.on("drain", send).on("error", () => undefined);
    send();
    return;
  }
  stream.end(`{"cluster": "${String(headers[":path"]).slice("/to/".length)}"}`);
});

function dial(port: number): Duplex | undefined {
  const [near, far] = duplexPair();
  near.on("error", () => undefined);
  far.on("error", () => undefined);
  if (port === 15_841) ask.emit("connection", far);
  else if (port === 15_000) admin.emit("connection", far);
  else return undefined;
  return near;
}

beforeEach(async () => {
  forwards = [];
  asked = [];
  connections = 0;
  sockets = forwardingSockets();
  api = createServer();
  api.on("upgrade", (request, socket, head) => {
    const url = new URL(request.url ?? "/", "http://localhost");
    const port = Number(url.searchParams.get("ports"));
    forwards.push(`${url.pathname} ${port}`);
    sockets.handleUpgrade(request, socket, head, (client) => servePortForward(client, [port], dial));
  });
  api.listen(0, "127.0.0.1");
  await once(api, "listening");
  const address = api.address();
  const port = typeof address === "object" ? address?.port : undefined;
  const config = new KubeConfig();
  config.loadFromClusterAndUser(
    { name: "member", server: `http://127.0.0.1:${port}`, skipTLSVerify: true },
    { name: "meshjoin", token: "token" },
  );
  const connection: Pick<ApiConnection, "kubeConfig"> = {
    kubeConfig: async () => await Promise.resolve(config),
  };
  session = sidecarProbe(connection, {}).open("probe-0");
});
afterEach(() => {
  session.close();
  for (const client of sockets.clients) client.terminate();
  api.close();
});

const PATH = "/api/v1/namespaces/meshjoin-probe/pods/probe-0/portforward";

describe("a probe behind a port-forward", () => {
  it("answers for all targets, each time over the one connection", async () => {
    const answers = await session.ask(["cn-a", "cn-b"]);
    await session.ask(["cn-a"]);
    expect([...answers]).toMatchObject([
      ["cn-a", { status: 200, headers: { "x-ask-details": "via_upstream" }, body: '{"cluster": "cn-a"}' }],
      ["cn-b", { status: 200, body: '{"cluster": "cn-b"}' }],
    ]);
    const host = "probe.meshjoin-probe.svc.cluster.local";
    expect(asked).toEqual([`${host}/to/cn-a`, `${host}/to/cn-b`, `${host}/to/cn-a`]);
    expect(forwards).toEqual([`${PATH} 15841`]);
    expect(connections).toBe(1);
  });

  it("has no answer of a target that is silent, and those of the others", async () => {
    const answers = await session.ask(["cn-silent", "cn-a"], AbortSignal.timeout(500));
    expect([...answers.keys()]).toEqual(["cn-a"]);
  });

  it("reads no answer that has no end, and those of the others", async () => {
    const answers = await session.ask(["cn-endless", "cn-a"], AbortSignal.timeout(2000));
    expect(answers.get("cn-a")?.status).toBe(200);
    expect(answers.get("cn-endless")?.body.length ?? 0).toBeLessThan(100_000);
    expect(sent).toBeLessThan(2_000_000);
  });

  it("tells of the endpoints of one target", async () => {
    const endpoint = { address: "10.0.0.7", isUnhealthy: true, isEjected: false };
    expect(await session.endpoints("cn-b")).toEqual([endpoint]);
    expect(await session.endpoints("cn-shop-c")).toBeUndefined();
    expect(forwards).toEqual([`${PATH} 15000`]);
  });

  it("opens another port-forward after one that broke", async () => {
    await session.ask(["cn-a"]);
    for (const client of sockets.clients) client.terminate();
    await expect(session.ask(["cn-a"])).rejects.toMatchObject({
      code: "ApiServerUnreachable",
      retryable: true,
    });
    expect((await session.ask(["cn-a"])).size).toBe(1);
    expect(forwards).toHaveLength(2);
  });
});

import { execFile } from "node:child_process";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { WebSocketServer } from "ws";

const ADAPTER = new URL("../../../../shared/adapters/member-api/", import.meta.url);
/** The first frame of either channel, data and errors, names the port. */
const PORT_FRAMES = [Buffer.from([0, 0, 0]), Buffer.from([1, 0, 0])];

let server: WebSocketServer;

/** An API server that forwards ports of a pod whose process takes connections and never answers. */
beforeEach(async () => {
  server = new WebSocketServer({ port: 0, host: "127.0.0.1" });
  server.on("connection", (socket) => PORT_FRAMES.forEach((frame) => socket.send(frame)));
  await once(server, "listening");
});
afterEach(() => {
  for (const socket of server.clients) socket.terminate();
  server.close();
});

/** In a process of its own, because an unhandled error ends it. */
function asking(port: number): string {
  return `
    import { KubeConfig } from "@kubernetes/client-node";
    import { istiodProbe } from ${JSON.stringify(new URL("istiod.ts", ADAPTER).href)};
    const config = new KubeConfig();
    const cluster = { name: "member", server: "http://127.0.0.1:${port}", skipTLSVerify: true };
    config.loadFromClusterAndUser(cluster, { name: "meshjoin", token: "token" });
    const api = { kubeConfig: () => Promise.resolve(config) };
    const session = istiodProbe(api, {}).open("istiod-1");
    const signal = AbortSignal.timeout(1000);
    const asked = await Promise.allSettled([session.remoteClusters(signal), session.servedChain(signal)]);
    session.close();
    // What fails late fails in a later turn.
    await new Promise((resolve) => setTimeout(resolve, 200));
    console.log(JSON.stringify(asked.map(({ reason }) => reason?.message ?? "an answer")));
    process.exit();
  `;
}

describe("an istiod that takes connections and never answers", () => {
  it("is an error of each question, and does not end the process that asks", async () => {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- it listens on a port
    const { port } = server.address() as AddressInfo;
    const args = ["--input-type=module", "-e", asking(port)];
    const cwd = fileURLToPath(ADAPTER);
    const { stdout } = await promisify(execFile)(process.execPath, args, { cwd });
    expect(JSON.parse(stdout)).toEqual([
      expect.stringContaining("read /debug/clusterz of istiod-1: The operation was aborted"),
      expect.stringContaining("TLS handshake with istiod-1:15012: no TLS handshake in time"),
    ]);
  });
});

import { describe, expect, it } from "@jest/globals";
import { startEchoServer } from "../../../../sandbox/traffic/server.ts";

const HOUR_S = 3600;

describe("the server of the traffic", () => {
  it("keeps an idle connection longer than Envoy does", async () => {
    const server = await startEchoServer();
    try {
      const { headers } = await fetch(`http://127.0.0.1:${server.port}/`);
      const seconds = /timeout=(?<seconds>\d+)/.exec(headers.get("keep-alive") ?? "")?.groups?.["seconds"];
      expect(Number(seconds)).toBeGreaterThan(HOUR_S);
    } finally {
      await server.stop();
    }
  });
});

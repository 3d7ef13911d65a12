import { once } from "node:events";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { http } from "@google-cloud/functions-framework";
import { getTestServer } from "@google-cloud/functions-framework/testing";
import { afterEach } from "@jest/globals";
import { send } from "../../../functions/http/send.ts";
import { syncMesh } from "../../../functions/sync-mesh.ts";
import { createLogger } from "../../../shared/log.ts";
import type { FakeMesh } from "../../fakes/mesh.ts";

export const AS_JSON = "application/json";

let server: Server | undefined;
afterEach(() => {
  server?.close();
});

/** The function under the Functions Framework, over a mesh in memory. */
export async function aFunction(mesh: FakeMesh, signal?: AbortSignal) {
  const lines: Record<string, unknown>[] = [];
  const answer = syncMesh({
    spec: mesh.spec,
    log: createLogger({ write: (line) => lines.push(JSON.parse(line)) }),
    withRun: async (report, use) =>
      await use(mesh.run({ report, ...(signal === undefined ? {} : { signal }) })),
  });
  http("sync-mesh-test", async (request, response) => send(response, await answer(request)));
  server = getTestServer("sync-mesh-test");
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- it listens on a port
  const { port } = server.address() as AddressInfo;
  const call = async (method: string, path: string, init: RequestInit = {}) => {
    const response = await fetch(`http://127.0.0.1:${port}${path}`, { method, redirect: "manual", ...init });
    const text = await response.text();
    return { status: response.status, headers: response.headers, text, body: parsed(response, text) };
  };
  const post = (body: unknown, type = AS_JSON) =>
    call("POST", "/sync", { headers: { "content-type": type }, body: JSON.stringify(body) });
  return { call, post, lines, host: `127.0.0.1:${port}` };
}

function parsed({ headers }: Response, text: string) {
  return headers.get("content-type")?.startsWith(AS_JSON) === true ? JSON.parse(text) : undefined;
}

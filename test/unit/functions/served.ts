import { afterEach } from "@jest/globals";
import { syncMesh } from "../../../functions/sync-mesh/sync-mesh.ts";
import { createLogger } from "../../../shared/log.ts";
import type { Examiner } from "../../../shared/ports/examiner.ts";
import type { FakeMesh } from "../../support/fakes/mesh.ts";
import { type ServedFunction, serveFunction } from "../../support/serve.ts";

export const AS_JSON = "application/json";

const servers: ServedFunction[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

/** The function under the Functions Framework, over a mesh in memory. */
export async function aFunction(mesh: FakeMesh, signal?: AbortSignal, examiners: readonly Examiner[] = []) {
  const lines: Record<string, unknown>[] = [];
  const answer = syncMesh({
    spec: mesh.spec,
    log: createLogger({ write: (line) => lines.push(JSON.parse(line)) }),
    withRun: async (report, use) =>
      await use(mesh.run({ report, examiners, ...(signal === undefined ? {} : { signal }) })),
  });
  const server = await serveFunction("sync-mesh-test", answer);
  servers.push(server);
  const { port } = server;
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

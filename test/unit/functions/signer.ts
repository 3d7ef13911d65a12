import { afterEach } from "@jest/globals";
import { signIntermediate } from "../../../functions/sign-intermediate/sign-intermediate.ts";
import { gkeSources } from "../../../shared/adapters/cluster-sources.ts";
import { createLogger } from "../../../shared/log.ts";
import type { ClusterDirectory } from "../../../shared/ports/cluster-directory.ts";
import type { FakeMesh } from "../../support/fakes/mesh.ts";
import { type ServedFunction, serveFunction } from "../../support/serve.ts";

const servers: ServedFunction[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

/** The function under the Functions Framework, over a mesh in memory; no IAM before it. */
export async function aSigner(mesh: FakeMesh, directory: ClusterDirectory = mesh.directory) {
  const log: string[] = [];
  const { authority, clock, roots } = mesh.run().ports;
  const server = await serveFunction(
    "sign-intermediate-test",
    signIntermediate(
      {
        spec: mesh.spec,
        log: createLogger({ write: (line) => log.push(line) }),
        ports: async () => ({ authority, clock, roots, sources: gkeSources(directory) }),
      },
      { GOOGLE_CLOUD_PROJECT: "shop" },
    ),
  );
  servers.push(server);
  const url = `http://127.0.0.1:${server.port}`;
  const call = async (method: string, path: string, init: RequestInit = {}) => {
    const response = await fetch(url + path, { method, ...init });
    const text = await response.text();
    return { status: response.status, headers: response.headers, text, body: JSON.parse(text) };
  };
  const sign = (body: unknown, headers: Readonly<Record<string, string>> = {}) =>
    call("POST", "/sign", {
      headers: { "content-type": "application/json", ...headers },
      body: typeof body === "string" ? body : JSON.stringify(body),
    });
  return {
    url,
    call,
    sign,
    log,
    lines: (): Record<string, unknown>[] => log.map((line) => JSON.parse(line)),
  };
}

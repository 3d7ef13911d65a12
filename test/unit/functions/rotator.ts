import { afterEach } from "@jest/globals";
import { rotatorExamination } from "../../../functions/examine-rotator/examine-rotator.ts";
import { createLogger } from "../../../shared/log.ts";
import type { FakeMesh } from "../../support/fakes/mesh.ts";
import { type ServedFunction, serveFunction } from "../../support/serve.ts";

const servers: ServedFunction[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

/**
 * `examine-rotator` under the Functions Framework, over a mesh in memory; no IAM before it. Answers its URL.
 */
export async function aRotatorsExamination(mesh: FakeMesh, signal?: AbortSignal): Promise<string> {
  const answer = rotatorExamination({
    spec: mesh.spec,
    log: createLogger({ write: () => undefined }),
    withRun: async (report, use) =>
      await use(mesh.run({ report, ...(signal === undefined ? {} : { signal }) })),
  });
  const server = await serveFunction("examine-rotator-test", answer);
  servers.push(server);
  return `http://127.0.0.1:${server.port}`;
}

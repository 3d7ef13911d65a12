import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { http } from "@google-cloud/functions-framework";
import { getTestServer } from "@google-cloud/functions-framework/testing";
import type { Answer } from "../../functions/http/answer.ts";
import type { HttpRequest } from "../../functions/http/request.ts";
import { send } from "../../functions/http/send.ts";

export interface ServedFunction {
  readonly port: number;
  close(): void;
}

/** An HTTP function under the Functions Framework, on a port of loopback. */
export async function serveFunction(
  name: string,
  answer: (request: HttpRequest) => Promise<Answer>,
): Promise<ServedFunction> {
  http(name, async (request, response) => send(response, await answer(request)));
  const server = getTestServer(name);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- it listens on a port
  const { port } = server.address() as AddressInfo;
  return { port, close: () => server.close() };
}

import { type LocalServer, listen, readBody } from "../http/server.ts";
import { reviewToken, type TokenRegistry } from "./tokens.ts";

/** The webhook that kube-apiserver asks about tokens it does not know; plain HTTP, loopback only. */
export function startTokenReview(registry: TokenRegistry): Promise<LocalServer> {
  return listen(async (request, response) => {
    try {
      const answer = reviewToken(registry, JSON.parse((await readBody(request)).toString("utf8")));
      response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(answer));
    } catch {
      response.writeHead(400).end("this is not a TokenReview of authentication.k8s.io/v1; send one");
    }
  });
}

import { request as httpRequest, type IncomingMessage, type ServerResponse } from "node:http";
import type { RequestLedger } from "../http/ledger.ts";
import { bearerToken, type LocalServer, listen } from "../http/server.ts";
import type { IdentityTokens } from "../identity/identity-tokens.ts";

export interface IamFrontOptions {
  /** The function behind; it listens on loopback. */
  readonly targetPort: number;
  /** Accounts that may call it: who has `run.invoker`. */
  readonly invokers: readonly string[];
  readonly identityTokens: IdentityTokens;
  readonly ledger: RequestLedger;
  /** As what its calls are counted. */
  readonly target: "signer" | "examiner";
}

/**
 * What Cloud Run puts in place of a signature that it has verified;
 * https://cloud.google.com/run/docs/troubleshooting
 */
const REMOVED_SIGNATURE = "SIGNATURE_REMOVED_BY_GOOGLE";

/**
 * Stands before a function that is not open to every caller, as Cloud Run's own front does. It lets a caller
 * in who brings an identity token for exactly this URL and may invoke the function.
 */
export async function startIamFront(options: IamFrontOptions): Promise<LocalServer> {
  const front: LocalServer = await listen((request, response) => {
    const token = bearerToken(request) ?? "";
    const caller =
      options.identityTokens.verify(token, front.url) ??
      options.identityTokens.verify(token, `${front.url}/`);
    if (caller === undefined) {
      response.writeHead(401).end(`send an identity token for the audience ${front.url}\n`);
      return;
    }
    options.ledger.record(caller, options.target);
    if (!options.invokers.includes(caller)) {
      response.writeHead(403).end(`${caller} may not call this function; grant it run.invoker\n`);
      return;
    }
    forward(request, response, options.targetPort, token.replace(/[^.]+$/, REMOVED_SIGNATURE));
  });
  return front;
}

function forward(request: IncomingMessage, response: ServerResponse, port: number, token: string): void {
  const headers = { ...request.headers, authorization: `Bearer ${token}` };
  const { method, url: path } = request;
  const onward = httpRequest(
    { host: "127.0.0.1", port, method: method ?? "GET", path: path ?? "/", headers },
    (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    },
  );
  onward.on("error", () => response.writeHead(502).end("the function is not up; read its log\n"));
  request.pipe(onward);
}

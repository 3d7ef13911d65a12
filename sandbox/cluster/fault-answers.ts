import { createSecureServer } from "node:http2";
import type { Socket } from "node:net";

/** Answers for an API server in its own name. */
export interface FaultAnswers {
  /** Every request of this connection gets the status. */
  take(connection: Socket): void;
  setStatus(status: number): void;
}

/** https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/status/ */
const REASONS: Readonly<Record<number, string>> = {
  401: "Unauthorized",
  403: "Forbidden",
  404: "NotFound",
  409: "Conflict",
  429: "TooManyRequests",
  500: "InternalError",
  503: "ServiceUnavailable",
};

/** HTTP/2 and HTTP/1.1 behind the API server's certificate; upgrades are refused like any other request. */
export function faultAnswers(identity: { readonly cert: string; readonly key: string }): FaultAnswers {
  let code = 500;
  const server = createSecureServer({ ...identity, allowHTTP1: true }, (request, response) => {
    request.resume();
    const message = "a fault of the sandbox; clear it to go on";
    const reason = REASONS[code] ?? "Unknown";
    response.writeHead(code, { "content-type": "application/json" });
    response.end(
      JSON.stringify({ apiVersion: "v1", kind: "Status", status: "Failure", message, reason, code }),
    );
  });
  return {
    take: (connection) => void server.emit("connection", connection),
    setStatus(status) {
      code = status;
    },
  };
}

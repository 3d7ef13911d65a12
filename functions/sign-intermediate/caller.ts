import { type HttpRequest, header } from "../http/request.ts";

/**
 * The account that calls, for the log; "unknown" without a token. The token is read and not verified: Cloud
 * Run has verified it, and removes its signature so that it cannot be used again. Of two tokens Cloud Run
 * verifies only that in `X-Serverless-Authorization`.
 * https://cloud.google.com/run/docs/authenticating/service-to-service
 */
export function callerOf(request: HttpRequest): string {
  const token = header(request, "x-serverless-authorization") ?? header(request, "authorization");
  const payload = /^bearer [^.]+\.(?<payload>[^.]+)\./i.exec(token ?? "")?.groups?.["payload"];
  const email = payload === undefined ? undefined : emailIn(Buffer.from(payload, "base64url").toString());
  return email ?? "unknown";
}

function emailIn(claims: string): string | undefined {
  try {
    const { email }: { email?: unknown } = JSON.parse(claims);
    return typeof email === "string" ? email : undefined;
  } catch {
    return undefined;
  }
}

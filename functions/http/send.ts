import type { ServerResponse } from "node:http";
import type { Answer } from "./answer.ts";

/** No cache may keep an answer, and no browser may guess its type. */
const HEADERS = { "cache-control": "no-store", "x-content-type-options": "nosniff" };

export function send(response: ServerResponse, { status, headers = {}, body }: Answer): void {
  const text = typeof body === "string" ? body : `${JSON.stringify(body ?? null)}\n`;
  const type = typeof body === "string" ? "text/html; charset=utf-8" : "application/json; charset=utf-8";
  response.writeHead(status, { ...HEADERS, "content-type": type, ...headers }).end(text);
}

import { createHash } from "node:crypto";
import { type Html, source } from "./html.ts";
import { SCRIPT } from "./script.ts";
import { STYLE } from "./style.ts";

function hashOf(markup: Html): string {
  return `'sha256-${createHash("sha256").update(source(markup)).digest("base64")}'`;
}

/** Allows this document alone: its style and script by hash, its pictures, forms to its origin; no frame. */
export const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  `style-src ${hashOf(STYLE)}`,
  `script-src ${hashOf(SCRIPT)}`,
  "img-src data:",
  "form-action 'self'",
  "frame-ancestors 'none'",
  "base-uri 'none'",
].join("; ");

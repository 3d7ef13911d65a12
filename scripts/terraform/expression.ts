import { isRecord } from "./module.ts";
import { interpolations } from "./template.ts";

/** A value of hcl2json as the text of one HCL expression. */
export function expressionOf(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(expressionOf).join(", ")}]`;
  if (isRecord(value)) {
    const entries = Object.entries(value).map(([key, each]) => `${templateOf(key)} = ${expressionOf(each)}`);
    return `{ ${entries.join(", ")} }`;
  }
  return typeof value === "string" ? templateOf(value) : JSON.stringify(value ?? null);
}

/** One interpolation alone is what is in it; anything else is a quoted template. */
function templateOf(text: string): string {
  const parts = interpolations(text);
  if (parts.length === 1 && parts[0] === text) return `(${text.slice(2, -1)})`;
  let rest = text;
  let quoted = "";
  for (const part of parts) {
    const at = rest.indexOf(part);
    quoted += escaped(rest.slice(0, at)) + part;
    rest = rest.slice(at + part.length);
  }
  return `"${quoted}${escaped(rest)}"`;
}

function escaped(text: string): string {
  return JSON.stringify(text).slice(1, -1);
}

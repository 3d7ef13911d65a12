import { GoogleError } from "../http/google-error.ts";

export function record(value: unknown): Readonly<Record<string, unknown>> {
  if (value === undefined) return {};
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return { ...value };
  throw new GoogleError("INVALID_ARGUMENT", "Invalid JSON payload received.");
}

export function text(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}

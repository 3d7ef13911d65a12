/** `wide` is text with every column and full IDs. `json` is one line, alone on standard output. */
export const FORMATS = ["text", "wide", "json", "yaml"] as const;
export type Format = (typeof FORMATS)[number];

/** A program that reads the result is asked nothing. */
export function isForPrograms(format: Format): boolean {
  return format === "json" || format === "yaml";
}

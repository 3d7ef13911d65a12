import { stringify } from "yaml";
import { scrub } from "../shared/scrub.ts";
import { escaped } from "./visible.ts";

/** `wide` is text with every column and full IDs. `json` is one line, alone on standard output. */
export const FORMATS = ["text", "wide", "json", "yaml"] as const;
export type Format = (typeof FORMATS)[number];
type ProgramFormat = Extract<Format, "json" | "yaml">;

/** A program that reads the result is asked nothing. */
export function isForPrograms(format: Format): format is ProgramFormat {
  return format === "json" || format === "yaml";
}

/** A result for a program, without keys and tokens. */
export function programText(result: object, format: ProgramFormat): string {
  return escaped(scrub(format === "json" ? JSON.stringify(result) : stringify(result).trimEnd()));
}

/** The format that the arguments ask for, whatever else is wrong with them. */
export function formatIn(args: readonly string[]): Format | undefined {
  const text = args.join("\0");
  const { format } = /(?:^|\0)(?:--output[=\0]|-o[=\0]?)(?<format>[a-z]+)(?:\0|$)/.exec(text)?.groups ?? {};
  return FORMATS.find((each) => each === format);
}

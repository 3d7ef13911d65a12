import { InvalidArgumentError } from "commander";
import { parseDuration } from "../shared/core/duration.ts";

/** The value of an option that takes a duration, in seconds. */
export function seconds(text: string): number {
  const parsed = parseDuration(text);
  if (parsed === undefined || parsed === 0) throw new InvalidArgumentError("Use a duration like 90s or 10m.");
  return parsed;
}

import type { Outcome } from "../../shared/core/answers/outcome.ts";
import { sentenceTime } from "../../shared/core/time.ts";
import type { Screen } from "../screen.ts";

/** The result of `pause` and `resume`. */
export interface Writes {
  readonly meshId: string;
  /** Null while the functions write. */
  readonly writesPaused: string | null;
  readonly outcome: Extract<Outcome, "updated" | "unchanged">;
}

export function renderWrites({ meshId, writesPaused, outcome }: Writes, { paint }: Screen): string {
  if (writesPaused !== null) {
    return `${paint("yellow", `The functions write nothing to mesh ${meshId} since ${sentenceTime(writesPaused)}.`)}\nTo let them go on: meshjoin resume`;
  }
  return outcome === "unchanged"
    ? `The functions write to mesh ${meshId}: nothing was paused.`
    : paint("green", `The functions write to mesh ${meshId} again, with their next full run.`);
}

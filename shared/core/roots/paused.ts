import { type Finding, finding } from "../answers/finding.ts";
import { sentenceTime } from "../time.ts";
import type { RootNotes } from "./notes.ts";
import { type Roots, stageOf } from "./stages.ts";

export function writesPaused({ writesPaused: since }: Pick<RootNotes, "writesPaused">): Finding | undefined {
  if (since === undefined) return undefined;
  return finding(
    "WritesPaused",
    `a person paused the functions' writes at ${sentenceTime(since)}: no cluster joins, and nothing is repaired or renewed`,
    "meshjoin resume",
  );
}

/** The pauses that a person has ordered and not ended. */
export function pauses(roots: Roots): Finding[] {
  const { paused } = roots.notes;
  const stage = stageOf(roots);
  const rotation =
    paused === undefined || stage === "idle"
      ? []
      : [
          finding(
            "RotationPaused",
            `a person paused the root rotation at ${sentenceTime(paused)}, in stage ${stage}`,
            "meshjoin root resume",
          ),
        ];
  return [...[writesPaused(roots.notes) ?? []].flat(), ...rotation];
}

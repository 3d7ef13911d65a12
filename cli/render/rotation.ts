import { STAGES, type Stage } from "../../shared/core/roots/stages.ts";
import { sentenceTime } from "../../shared/core/time.ts";

/** The stages that follow each other; before the first and after the last, none is under way. */
const UNDER_WAY = STAGES.filter((stage) => stage !== "idle");

export interface RotationLines {
  readonly stage: Stage;
  readonly since: string | null;
  readonly paused: string | null;
  readonly waitingFor: readonly string[];
  readonly until: string | null;
}

/** The stage of a root rotation with its number, and the conditions of the next one. */
export function rotationLines({ stage, since, paused, waitingFor, until }: RotationLines): string[] {
  if (stage === "idle") return [];
  const begun = since === null ? "" : `, since ${sentenceTime(since)}`;
  const next = nextOf(stage);
  return [
    `Root rotation: ${stage} (${numberOf(stage)}), ${next === undefined ? "the last stage" : `next: ${next}`}${begun}`,
    ...(until === null ? [] : [`  ${next ?? "its end"} not before ${sentenceTime(until)}`]),
    ...(paused === null
      ? []
      : [`  waits: a person paused it at ${sentenceTime(paused)}: meshjoin root resume`]),
    ...waitingFor.map((reason) => `  waits: ${reason}`),
  ];
}

function numberOf(stage: Stage): string {
  return `${UNDER_WAY.findIndex((each) => each === stage) + 1} of ${UNDER_WAY.length}`;
}

function nextOf(stage: Stage): Stage | undefined {
  return UNDER_WAY[UNDER_WAY.findIndex((each) => each === stage) + 1];
}

import type { Scene } from "../scene.ts";
import { countFindings } from "./findings.ts";

export type Tone = "good" | "warning" | "error";

export interface Headline {
  readonly tone: Tone;
  /** Whether the mesh has no pair yet, so nothing can be well. */
  readonly isEmpty: boolean;
  /** A sentence without its period. */
  readonly text: string;
  /** For the title of the window, which browsers cut short. */
  readonly short: string;
}

function toneOf({ findings, gaps }: Scene): Tone {
  if (findings.some(({ severity }) => severity === "error")) return "error";
  const isCalm = gaps.length === 0 && !findings.some(({ severity }) => severity === "warning");
  return isCalm ? "good" : "warning";
}

function textOf({ members, connections: { length }, tally: { synced } }: Scene): string {
  if (members.length === 0) return "There is no member yet";
  if (length === 0) return "There is no pair yet";
  if (synced < length) return `${synced} of ${length} pairs ${synced === 1 ? "is" : "are"} synced`;
  if (length === 1) return "The pair is synced";
  return length === 2 ? "Both pairs are synced" : `All ${length} pairs are synced`;
}

/** The mesh in one line. */
export function headlineOf(scene: Scene): Headline {
  const { connections, tally, findings } = scene;
  const loud = countFindings(findings.filter(({ severity }) => severity !== "info"));
  const synced = connections.length === 0 ? "no pair" : `${tally.synced}/${connections.length} synced`;
  return {
    tone: toneOf(scene),
    isEmpty: connections.length === 0,
    text: textOf(scene),
    short: loud === "" ? synced : `${synced}, ${loud}`,
  };
}

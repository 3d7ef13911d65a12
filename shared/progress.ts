import type { Outcome } from "./core/answers/outcome.ts";
import type { Action } from "./plan/action.ts";

/** A step that a run has just finished, for the log of a function or a terminal. */
export interface Progress {
  readonly step:
    | Action["kind"]
    | "istiodReady"
    | "certificateLoaded"
    | "pairSynced"
    | "probeReady"
    | "probeAsked";
  readonly clusterId: string;
  /** The other side, where the step is about a pair. */
  readonly target?: string;
  readonly outcome: Outcome;
}

export type Reporter = (progress: Progress) => void;

import type { Finding } from "./finding.ts";
import type { Outcome } from "./outcome.ts";

export interface MemberSummary {
  readonly clusterId: string;
  readonly outcome: Outcome;
  readonly findings: readonly Finding[];
}

export interface PairSummary {
  readonly reader: string;
  readonly target: string;
  readonly outcome: Outcome;
}

/** The result of a run; the same object from every trigger (docs/reference). */
export interface Summary {
  readonly outcome: Outcome;
  readonly members: readonly MemberSummary[];
  readonly pairs: readonly PairSummary[];
  readonly findings: readonly Finding[];
}

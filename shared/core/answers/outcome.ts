/** The result of an action, a member, a pair or a run; completes the sentence "the member was (is) …". */
export type Outcome = (typeof OUTCOMES)[number];

/** The worst first. */
export const OUTCOMES = ["failed", "waiting", "deleted", "created", "updated", "unchanged"] as const;

export function worst(outcomes: Iterable<Outcome>): Outcome {
  const all = new Set(outcomes);
  return OUTCOMES.find((outcome) => all.has(outcome)) ?? "unchanged";
}

const OUTCOME_OF_VERB = { create: "created", update: "updated", delete: "deleted" } as const;

/** The outcome of an action that was carried out. */
export function outcomeOf({ verb }: { readonly verb: keyof typeof OUTCOME_OF_VERB }): Outcome {
  return OUTCOME_OF_VERB[verb];
}

/** `waiting` if the same request can succeed later. */
export function outcomeOfFailure({ retryable }: { readonly retryable: boolean }): "waiting" | "failed" {
  return retryable ? "waiting" : "failed";
}

export function isUnfinished(outcome: Outcome): outcome is "waiting" | "failed" {
  return outcome === "waiting" || outcome === "failed";
}

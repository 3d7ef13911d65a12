/** What became of a member, a pair or a whole run; each completes the sentence "the member was (is) …". */
export type Outcome = (typeof OUTCOMES)[number];

/** The worst first. */
export const OUTCOMES = ["failed", "waiting", "deleted", "created", "updated", "unchanged"] as const;

/** The outcome that an operator must hear of first. */
export function worst(outcomes: Iterable<Outcome>): Outcome {
  const all = new Set(outcomes);
  return OUTCOMES.find((outcome) => all.has(outcome)) ?? "unchanged";
}

const DONE = { create: "created", update: "updated", delete: "deleted" } as const;

/** What an action comes to that was carried out. */
export function outcomeOf({ verb }: { readonly verb: keyof typeof DONE }): Outcome {
  return DONE[verb];
}

/** What a failure comes to: whether the same request can mend it later. */
export function outcomeOfFailure({ retryable }: { readonly retryable: boolean }): "waiting" | "failed" {
  return retryable ? "waiting" : "failed";
}

/** It is not as it should be. */
export function isUnfinished(outcome: Outcome): outcome is "waiting" | "failed" {
  return outcome === "waiting" || outcome === "failed";
}

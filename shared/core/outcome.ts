/** What became of a member, a pair or a whole run; each completes the sentence "the member was (is) …". */
export type Outcome = "unchanged" | "created" | "updated" | "deleted" | "waiting" | "failed";

const WORST_FIRST: readonly Outcome[] = ["failed", "waiting", "deleted", "created", "updated", "unchanged"];

/** The outcome that an operator must hear of first. */
export function worst(outcomes: Iterable<Outcome>): Outcome {
  const all = new Set(outcomes);
  return WORST_FIRST.find((outcome) => all.has(outcome)) ?? "unchanged";
}

const DONE = { create: "created", update: "updated", delete: "deleted" } as const;

/** What an action comes to that was carried out. */
export function outcomeOf({ verb }: { readonly verb: keyof typeof DONE }): Outcome {
  return DONE[verb];
}

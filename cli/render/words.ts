const NAMED_MAX = 2;

/** The first names, and the number of the others. */
export function someOf(names: readonly string[]): string {
  const rest = names.length - NAMED_MAX;
  return rest > 0 ? `${names.slice(0, NAMED_MAX).join(", ")} and ${rest} more` : names.join(", ");
}

/** Counts each word, the most frequent first: `4 created`, `2 waiting`. */
export function tally(words: readonly string[]): string[] {
  const numbers = new Map<string, number>();
  for (const word of words) numbers.set(word, (numbers.get(word) ?? 0) + 1);
  return [...numbers]
    .toSorted(([a, m], [b, n]) => n - m || (a < b ? -1 : 1))
    .map(([word, number]) => `${number} ${word}`);
}

/** Text blocks with an empty line between them; empty ones are left out. */
export function blocks(...texts: readonly string[]): string {
  return texts.filter((text) => text !== "").join("\n\n");
}

/** Answers the equal text that it was given first. */
export type Share = <T extends string | undefined>(text: T) => T;

/** What is parsed is a new text each time; of those that many objects have one is enough. */
export function sharing(): Share {
  const known = new Map<string | undefined, string | undefined>();
  return <T extends string | undefined>(text: T): T => {
    if (known.has(text)) {
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- it equals the key, which is of this type
      return known.get(text) as T;
    }
    known.set(text, text);
    return text;
  };
}

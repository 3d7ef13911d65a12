import { remembering } from "../core/remembering.ts";

/** Answers the equal text that it was given first. */
export type Share = <T extends string | undefined>(text: T) => T;

/** What is parsed is a new text each time; of those that many objects have one is enough. */
export function sharing(): Share {
  const first = remembering((text) => text);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- it equals what was given, which is of this type
  return <T extends string | undefined>(text: T): T => (text === undefined ? text : (first(text) as T));
}

import { remembering } from "../core/remembering.ts";

/** Answers the first equal text. */
export type Share = <T extends string | undefined>(text: T) => T;

/** Parsing makes a new text each time; sharing keeps one for all objects that hold it. */
export function sharing(): Share {
  const first = remembering((text) => text);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- it equals what was given, which is of this type
  return <T extends string | undefined>(text: T): T => (text === undefined ? text : (first(text) as T));
}

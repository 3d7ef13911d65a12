import { parseSync } from "oxc-parser";

/** One line of a comment, as it stands in its file. */
export interface CommentLine {
  /** From 1. */
  readonly line: number;
  readonly text: string;
}

/** The lines of all comments of a TypeScript file, with the code that stands before them on the line. */
export function commentLines(path: string, source: string): CommentLine[] {
  const lines = source.split("\n");
  const lineOf = (offset: number) => source.slice(0, offset).split("\n").length;
  return parseSync(path, source).comments.flatMap(({ start, end }) => {
    const [first, last] = [lineOf(start), lineOf(end)];
    return lines.slice(first - 1, last).map((text, index) => ({ line: first + index, text }));
  });
}

/**
 * What leads a reader nowhere: `exists` says whether a path is there, `rules` which rules the design page
 * has.
 */
export function deadCitations(
  text: string,
  { exists, rules }: { readonly exists: (path: string) => boolean; readonly rules: ReadonlySet<string> },
): string[] {
  const cited = [...text.matchAll(/\brules? (?<number>\d+)\b/g)].flatMap(({ 0: citation, groups }) =>
    rules.has(groups?.["number"] ?? "") ? [] : [citation],
  );
  const paths = [...text.matchAll(PATH)].flatMap(([path]) => {
    const plain = path.replace(/[./]+$/, "");
    return plain.includes("*") || exists(plain) ? [] : [path];
  });
  return [...cited, ...paths];
}

const PATH =
  /(?<![\w/.-])(?:bench|cli|docs|functions|sandbox|scripts|shared|terraform|test)\/[\w.*/-]*\w(?:\.\w+|\/)?/g;

/** What one line must hold, because a tool reads it. */
const DIRECTIVE = /oxlint-disable|biome-ignore|https?:\/\/\S{60}/;

export function isTooLong(text: string, width: number): boolean {
  return text.length > width && !DIRECTIVE.test(text);
}

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

/** Everything that a comment may cite. */
export interface Citable {
  /** Whether a path is there. */
  readonly exists: (path: string) => boolean;
  /** The names of all TypeScript files, without their folders. */
  readonly names: ReadonlySet<string>;
  /** The numbers of the rules of the design page. */
  readonly rules: ReadonlySet<string>;
}

/** The citations that lead a reader nowhere. */
export function deadCitations(text: string, { exists, names, rules }: Citable): string[] {
  const cited = [...text.matchAll(/\brules? (?<number>\d+)\b/g)].flatMap(({ 0: citation, groups }) =>
    rules.has(groups?.["number"] ?? "") ? [] : [citation],
  );
  const paths = [...text.matchAll(PATH)].flatMap(([path]) => {
    const plain = path.replace(/[./]+$/, "");
    return plain.includes("*") || exists(plain) ? [] : [path];
  });
  const bare = [...text.matchAll(BARE_NAME)].flatMap(([name]) => (names.has(name) ? [] : [name]));
  return [...cited, ...paths, ...bare];
}

const PATH =
  /(?<![\w/.-])(?:bench|cli|docs|functions|sandbox|scripts|shared|terraform|test)\/[\w.*/-]*\w(?:\.\w+|\/)?/g;

/** A file of TypeScript that is cited without its folder. */
const BARE_NAME = /(?<![\w/.*-])\w[\w-]*(?:\.[\w-]+)*\.ts\b/g;

/** What one line must hold, because a tool reads it. */
const DIRECTIVE = /oxlint-disable|biome-ignore|https?:\/\/\S{60}/;

export function isTooLong(text: string, width: number): boolean {
  return text.length > width && !DIRECTIVE.test(text);
}

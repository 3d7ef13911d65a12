import { relative } from "node:path";
import { stripVTControlCharacters } from "node:util";
import { ROOT } from "../paths.ts";

/** A file of Jest's `--json`; https://jestjs.io/docs/cli#--json. */
export interface JestFile {
  /** An absolute path. */
  readonly name: string;
  /** Empty, or why the file could not be run, or all failures of its tests. */
  readonly message: string;
  readonly assertionResults: readonly {
    readonly fullName: string;
    readonly status: string;
    readonly failureMessages?: readonly string[];
  }[];
}

const LINES = 6;

/**
 * Each failed test with the first lines of why, and each file that could not be run. Where the end of a log
 * is all that is left of a run, it holds these.
 */
export function describeFailures(files: readonly JestFile[]): string[] {
  return files.flatMap((file) => {
    const path = relative(ROOT, file.name);
    const failed = file.assertionResults.filter(({ status }) => status === "failed");
    if (failed.length > 0) {
      return failed.map(({ fullName, failureMessages = [] }) =>
        paragraph(`${path}: ${fullName}`, failureMessages.join("\n")),
      );
    }
    const couldNotRun = file.assertionResults.length === 0 && file.message !== "";
    return couldNotRun ? [paragraph(path, file.message)] : [];
  });
}

function paragraph(title: string, text: string): string {
  const lines = stripVTControlCharacters(text)
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "" && !line.includes("/node_modules/"));
  return [title, ...lines.slice(0, LINES).map((line) => `  ${line}`)].join("\n");
}

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "@jest/globals";
import { ROOT } from "../../../scripts/paths.ts";

const FOLDER = join(ROOT, "test", "integration");
const files = readdirSync(FOLDER).filter((name) => name.endsWith(".test.ts"));

/** The numbers at the beginning of the names of tests, in their order. One without a dot is no scenario's. */
function scenariosOf(text: string): string[] {
  return [...text.matchAll(/["'`](?<number>\d+\.\d+) [a-zA-Z]/g)].map(
    ({ groups }) => groups?.["number"] ?? "",
  );
}

/** The faults of the numbers in a file of this name. */
function faults(name: string, numbers: readonly string[]): string[] {
  const [prefix = ""] = name.split("-");
  if (numbers.length === 0) return [`${name} has no scenario with a number`];
  return numbers.flatMap((number, index) =>
    number === `${prefix}.${index + 1}` ? [] : [`${name}: ${number} should be ${prefix}.${index + 1}`],
  );
}

/** The numbers in the page's row of a file, in their sequence; "18.1 to 18.3" stands for three. */
function scenariosOfPage(page: string, name: string): string[] {
  const row = page.split("\n").find((line) => line.startsWith(`| \`${name}\` |`)) ?? "";
  return [...row.matchAll(/\b(?<file>\d{2})\.(?<first>\d+)(?: to \k<file>\.(?<last>\d+))?\b/g)].flatMap(
    ({ groups }) => {
      const first = Number(groups?.["first"]);
      const last = Number(groups?.["last"] ?? first);
      return Array.from({ length: last - first + 1 }, (_, index) => `${groups?.["file"]}.${first + index}`);
    },
  );
}

describe("the scenarios of the integration tests", () => {
  it("have files of distinct numbers, in a row", () => {
    const prefixes = files.map((name) => name.split("-")[0]);
    expect(prefixes).toEqual(files.map((_, index) => String(index + 1).padStart(2, "0")));
  });

  it.each(files)("have the number of their file, and their own within it: %s", (name) => {
    expect(faults(name, scenariosOf(readFileSync(join(FOLDER, name), "utf8")))).toEqual([]);
  });

  it.each(files)("are the ones that the page names, in their sequence: %s", (name) => {
    const page = readFileSync(join(FOLDER, "README.md"), "utf8");
    expect(scenariosOfPage(page, name)).toEqual(scenariosOf(readFileSync(join(FOLDER, name), "utf8")));
  });

  it.each([
    ["one by one", "01.1 a, 01.2 b; 01.3 c", ["01.1", "01.2", "01.3"]],
    ["as a range", "01.9 to 01.11 a, 01.12 b", ["01.9", "01.10", "01.11", "01.12"]],
    ["out of sequence", "01.2 b, 01.1 a", ["01.2", "01.1"]],
    ["not at all", "joins", []],
  ])("are read from a page that names them %s", (_, text, numbers) => {
    const page = `| \`00-none.test.ts\` | 00.1 |\n| \`01-joins.test.ts\` | ${text} |\n`;
    expect(scenariosOfPage(page, "01-joins.test.ts")).toEqual(numbers);
  });

  it.each([
    ["a number twice", 'it("01.1 a"); it("01.1 b");'],
    ["a number of another file", 'it("02.1 a");'],
    ["a number that is left out", 'it("01.1 a"); it("01.3 b");'],
    ["no number", 'it("a");'],
    ["only a count", 'expect("2 of 3")'],
  ])("are found with %s", (_, text) => {
    expect(faults("01-joins.test.ts", scenariosOf(text))).toHaveLength(1);
  });
});

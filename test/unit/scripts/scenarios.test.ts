import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "@jest/globals";
import { ROOT } from "../../../scripts/paths.ts";

const FOLDER = join(ROOT, "test", "integration");
const files = readdirSync(FOLDER).filter((name) => name.endsWith(".test.ts"));

/** The numbers at the beginning of the names of tests, in their order. */
function scenariosOf(text: string): string[] {
  return [...text.matchAll(/["'`](?<number>\d+(?:\.\d+)?) [a-zA-Z]/g)].map(
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

describe("the scenarios of the integration tests", () => {
  it("have files of distinct numbers, in a row", () => {
    const prefixes = files.map((name) => name.split("-")[0]);
    expect(prefixes).toEqual(files.map((_, index) => String(index + 1).padStart(2, "0")));
  });

  it.each(files)("have the number of their file, and their own within it: %s", (name) => {
    expect(faults(name, scenariosOf(readFileSync(join(FOLDER, name), "utf8")))).toEqual([]);
  });

  it.each([
    ["a number twice", 'it("01.1 a"); it("01.1 b");'],
    ["a number of another file", 'it("02.1 a");'],
    ["a number that is left out", 'it("01.1 a"); it("01.3 b");'],
    ["no number", 'it("a");'],
  ])("are found with %s", (_, text) => {
    expect(faults("01-joins.test.ts", scenariosOf(text))).toHaveLength(1);
  });
});

import { describe, expect, it } from "@jest/globals";
import { describeResults, parseTestArgs } from "../../../../scripts/check/test.ts";
import { TIERS } from "../../../../scripts/check/tiers.ts";
import { renderTable } from "../../../../shared/table.ts";

describe("parseTestArgs", () => {
  it.each([
    [[], ["unit", "contract", "integration"], []],
    [["--tier", "unit"], ["unit"], []],
    [["--tier", "integration", "--tier", "unit"], ["unit", "integration"], []],
    [
      ["plan", "-t", "sorted"],
      ["unit", "contract", "integration"],
      ["plan", "-t", "sorted"],
    ],
    [["--tier", "contract", "root"], ["contract"], ["root"]],
  ])("%j", (args, names, jestArgs) => {
    const options = parseTestArgs(args);
    expect(options.tiers.map(({ name }) => name)).toEqual(names);
    expect(options.jestArgs).toEqual(jestArgs);
  });

  it.each([[["--tier", "fast"]], [["--tier"]]])("refuses %j", (args) => {
    expect(() => parseTestArgs(args)).toThrow("use unit, contract, integration");
  });
});

describe("describeResults", () => {
  it("says which tier is over its budget", () => {
    const [unit, contract] = TIERS;
    if (unit === undefined || contract === undefined) throw new Error("there are tiers");
    const text = describeResults([
      { tier: unit, passed: 12, failed: 0, seconds: unit.budgetSeconds + 1, failures: [] },
      { tier: contract, passed: 3, failed: 1, seconds: 1, failures: [] },
    ]);
    expect(text.split("\n")[1]).toContain("over its budget");
    expect(text.split("\n")[2]).not.toContain("over its budget");
  });
});

describe("renderTable", () => {
  it("aligns words to the left and numbers to the right", () => {
    expect(
      renderTable(
        ["name", "n"],
        [
          ["a", "5"],
          ["longer", "120"],
        ],
      ),
    ).toBe(["name      n", "a         5", "longer  120"].join("\n"));
  });
});

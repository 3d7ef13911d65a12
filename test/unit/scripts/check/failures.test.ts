import { join } from "node:path";
import { describe, expect, it } from "@jest/globals";
import { describeFailures } from "../../../../scripts/check/failures.ts";
import { ROOT } from "../../../../scripts/paths.ts";

const name = join(ROOT, "test/integration/01-joins.test.ts");
const passed = { fullName: "joins 01.1 a", status: "passed", failureMessages: [] };

describe("what is told of failed tests at the end", () => {
  it("is each of them with the first lines of why, without colours and foreign frames", () => {
    const failed = {
      fullName: "joins 01.2 b",
      status: "failed",
      failureMessages: [
        "\u001B[31mExpected: 1\u001B[39m\n\n  Received: 2\n at x (/a/node_modules/expect/a.js:1)\n at y (b.ts:2)",
      ],
    };
    expect(describeFailures([{ name, message: "all of it", assertionResults: [passed, failed] }])).toEqual([
      "test/integration/01-joins.test.ts: joins 01.2 b\n  Expected: 1\n  Received: 2\n  at y (b.ts:2)",
    ]);
  });

  it("is cut where it is long", () => {
    const failed = { fullName: "b", status: "failed", failureMessages: ["line\n".repeat(100)] };
    const [told = ""] = describeFailures([{ name, message: "", assertionResults: [failed] }]);
    expect(told.split("\n")).toHaveLength(7);
  });

  it("is a file that could not be run", () => {
    expect(describeFailures([{ name, message: "SyntaxError: no", assertionResults: [] }])).toEqual([
      "test/integration/01-joins.test.ts\n  SyntaxError: no",
    ]);
  });

  it("is nothing where all passed", () => {
    expect(describeFailures([{ name, message: "", assertionResults: [passed] }])).toEqual([]);
  });
});

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "@jest/globals";
import manifest from "../../../package.json" with { type: "json" };
import { ROOT } from "../../../scripts/paths.ts";
import { readCommands } from "../../support/runbook/commands.ts";
import { UNTRIED_IN_GUIDE, unaccounted } from "../../support/runbook/untried.ts";

const textsOf = (page: string) => readCommands(readFileSync(join(ROOT, page), "utf8"));
const guide = textsOf("docs/deploy.md").map(({ text }) => text);
const quickStart = textsOf("README.md").filter(({ section }) => section === "Deploy it");

/** With the README's placeholders in place of variables and of descriptions. */
function asInReadme(command: string): string {
  return command
    .replaceAll(/["$]/g, "")
    .replaceAll("VERSION", manifest.version)
    .replaceAll(/<(?<what>\w+)>/g, (_, what: string) => what.toUpperCase());
}

/** The first command that does not come after those before it in the guide. */
function outOfOrder(commands: readonly string[]): string | undefined {
  const places = commands.map((command) => guide.map(asInReadme).lastIndexOf(asInReadme(command)));
  return commands.find((_, index) => {
    const place = places[index] ?? -1;
    return place === -1 || places.slice(0, index).some((earlier) => earlier > place);
  });
}

describe("the quick start of the README", () => {
  const commands = quickStart.map(({ text }) => text);

  it("is the guide's commands, in their order", () => {
    expect(commands).toHaveLength(16);
    expect(outOfOrder(commands)).toBeUndefined();
  });

  it("would be seen with another command, and in another order", () => {
    const [first = "", second = "", ...rest] = commands;
    expect(outOfOrder([...commands, "meshjoin sync"])).toBe("meshjoin sync");
    expect(outOfOrder([second, first, ...rest])).toBe(first);
  });
});

describe("the record of commands that are not tried", () => {
  const excuses = [{ command: /^gcloud auth/, why: "a person is asked" }];

  it("excuses what it names and nothing else", () => {
    expect(unaccounted(["gcloud auth login", "gcloud projects list"], excuses)).toEqual([
      "gcloud projects list",
    ]);
  });

  it("has no excuse that nothing needs", () => {
    expect(unaccounted(guide, UNTRIED_IN_GUIDE).filter((text) => !guide.includes(text))).toEqual([]);
    expect(unaccounted([], excuses)).toEqual([expect.stringContaining("a person is asked")]);
  });
});

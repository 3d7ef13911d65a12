import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "@jest/globals";
import { ROOT } from "../../../scripts/paths.ts";
import { readModule, textOf } from "../../../scripts/terraform/module.ts";
import { isRecord } from "../../../shared/is-record.ts";

const { locals } = await readModule(join(ROOT, "terraform", "modules", "observability"));
const runbook = readFileSync(join(ROOT, "docs", "runbook.md"), "utf8");
const commandLine = readFileSync(join(ROOT, "docs", "reference", "cli.md"), "utf8");

const alerts = Object.values(locals.get("alerts")?.value ?? {}).map((alert) =>
  textOf(isRecord(alert) ? alert["title"] : undefined),
);
const sections = new Map(
  runbook
    .split(/^## /m)
    .slice(1)
    .map((section) => {
      const [title = "", ...lines] = section.split("\n");
      return [title, lines.join("\n")];
    }),
);

/** As the renderers of Markdown do, and `alerts.tf` for the links. */
const anchorOf = (title: string) => title.toLowerCase().replaceAll(" ", "-");

describe("the runbook", () => {
  it("has a section for each alert, and none for another", () => {
    expect(new Set(sections.keys())).toEqual(new Set(alerts));
    expect(alerts.length).toBeGreaterThan(8);
  });

  it.each(alerts)(
    "says of «%s» what to do first, what it means, how to see it and how to mend it",
    (title) => {
      const bold = [...(sections.get(title) ?? "").matchAll(/^\*\*(?<part>[^*]+)\*\*/gm)].map(
        ({ groups }) => groups?.["part"],
      );
      const parts = ["What it means.", "How to see it.", "How to mend it."];
      expect(bold).toEqual([expect.stringMatching(/^First: \w/), ...parts]);
      expect(anchorOf(title)).toMatch(/^[a-z-]+$/);
    },
  );

  it("names commands of the command line that there are", () => {
    const named = [...runbook.matchAll(/(?:^|`)meshjoin (?<command>[a-z]+(?: [a-z]+)?)/gm)].map(
      ({ groups }) => groups?.["command"] ?? "",
    );
    const known = [...commandLine.matchAll(/^## meshjoin (?<command>.+)$/gm)].map(
      ({ groups }) => groups?.["command"] ?? "",
    );
    expect(named.length).toBeGreaterThan(10);
    expect(named.filter((command) => !known.includes(command))).toEqual([]);
  });

  it("links to sections that there are", () => {
    const anchors = [...sections.keys()].map(anchorOf);
    for (const [, anchor] of runbook.matchAll(/\]\(#(?<anchor>[^)]+)\)/g)) expect(anchors).toContain(anchor);
  });
});

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "@jest/globals";
import { ROOT } from "../../../scripts/paths.ts";
import { readModule } from "../../../scripts/terraform/module.ts";
import { isRecord } from "../../../shared/is-record.ts";

const page = readFileSync(join(ROOT, "docs", "cost.md"), "utf8");
const { locals } = await readModule(join(ROOT, "terraform", "modules", "observability"));

/** Cells of the page's tables, by the first one of their row. */
const rows = new Map(
  page
    .split("\n")
    .filter((line) => line.startsWith("| "))
    .map((line) =>
      line
        .split("|")
        .slice(1, -1)
        .map((cell) => cell.replaceAll("**", "").trim()),
    )
    .map(([first = "", ...rest]) => [first, rest]),
);
const cell = (row: string, column: number) => rows.get(row)?.[column] ?? "";
const dollars = (text: string) => Number(/\$(?<amount>[\d.]+)$/.exec(text)?.groups?.["amount"]);
const members = (name: string) => Object.values(locals.get(name)?.value ?? {});

const PRICED = [
  "CPU",
  "memory",
  "requests",
  "secret accesses",
  "secret versions",
  "logs",
  "Pub/Sub",
  "Scheduler",
  "images",
];

describe("docs/cost.md", () => {
  it("counts the conditions and the metrics that the module makes", () => {
    const conditions = members("alerts").flatMap((alert) => {
      const listed: unknown = isRecord(alert) ? alert["conditions"] : undefined;
      return Array.isArray(listed) ? listed : [];
    });
    expect(cell("alerting", 0)).toContain(`${conditions.length} conditions ×`);
    expect(cell("alerting", 0)).toContain(`${conditions.length} series ×`);
    expect(cell("log-based metrics", 0)).toMatch(new RegExp(`^${members("metrics").length}, of`));
  });

  it.each([
    ["5 clusters", 1],
    ["50 clusters", 2],
  ])("adds up for %s", (_, column) => {
    const sum = PRICED.reduce((all, row) => all + dollars(cell(row, column)), 0);
    expect(sum.toFixed(2)).toBe(dollars(cell("sum", column)).toFixed(2));
  });

  it.each([
    ["5 clusters", 1, 1.3],
    ["50 clusters", 2, 3.6],
  ])("has the price of the seconds that it names, for %s", (_, column, seconds) => {
    const runs = 4320 + 30 + 4320;
    expect(rows.get("runs over the mesh")?.[0]?.replace(/\D/g, "")).toBe(String(runs));
    expect(dollars(cell("CPU", column))).toBeCloseTo(runs * seconds * 0.000_024, 2);
    expect(dollars(cell("memory", column))).toBeCloseTo((runs * seconds * 0.000_002_5) / 2, 2);
  });

  it("has the price of alerting that its parts come to", () => {
    expect(cell("alerting", 1)).toBe(
      `$${(17 * 1.5).toFixed(2)} and $${((17 * 43_200 * 0.35) / 1e6).toFixed(2)}`,
    );
  });
});

import { existsSync, readFileSync } from "node:fs";
import { glob } from "node:fs/promises";
import { basename, join } from "node:path";
import { describe, expect, it } from "@jest/globals";
import biome from "../../../biome.json" with { type: "json" };
import { ROOT } from "../../../scripts/paths.ts";
import { commentLines, deadCitations, isTooLong } from "./comments.ts";

const WIDTH = biome.formatter.lineWidth;
const design = readFileSync(join(ROOT, "docs", "design.md"), "utf8");
const rules = new Set(
  [...design.slice(design.indexOf("\n## Rules")).matchAll(/^(?<number>\d+)\. \*\*/gm)].map(
    ({ groups }) => groups?.["number"] ?? "",
  ),
);
const exists = (path: string) => existsSync(join(ROOT, path));

const files = await Array.fromAsync(
  glob(["{bench,cli,functions,sandbox,scripts,shared,test}/**/*.ts", "terraform/**/*.tf"], { cwd: ROOT }),
);

const names = new Set(files.map((path) => basename(path)));
const citable = { exists, names, rules };

/** Of Terraform all is read, of TypeScript the comments. */
function linesOf(path: string) {
  const source = readFileSync(join(ROOT, path), "utf8");
  return path.endsWith(".ts")
    ? commentLines(path, source)
    : source
        .split("\n")
        .map((text, index) => ({ line: index + 1, text }))
        .filter(({ text }) => text.trimStart().startsWith("#"));
}

describe("a comment", () => {
  it("cites no rule and no path that is not there", () => {
    expect(rules.size).toBeGreaterThan(10);
    expect(files.length).toBeGreaterThan(500);
    const dead = files.flatMap((path) =>
      linesOf(path).flatMap(({ line, text }) =>
        deadCitations(text, citable).map((citation) => `${path}:${line}: ${citation}`),
      ),
    );
    expect(dead).toEqual([]);
  });

  it("is no wider than the formatter lets code be", () => {
    const wide = files.flatMap((path) =>
      linesOf(path).flatMap(({ line, text }) => (isTooLong(text, WIDTH) ? [`${path}:${line}`] : [])),
    );
    expect(wide).toEqual([]);
  });

  it.each([
    ["a rule that the page does not have", "// design rule 99", ["rule 99"]],
    ["a file that is not there", "/** See docs/gone.md. */", ["docs/gone.md"]],
    ["a folder that is not there", "// as in shared/gone/", ["shared/gone/"]],
    [
      "the bare name of a file that is not there",
      "// for the reason in gone.ts, see gone.test.ts.",
      ["gone.ts", "gone.test.ts"],
    ],
    ["the bare name of a file that is there", "// as in `comments.test.ts`, comments.ts and x/gone.ts", []],
    ["nothing else", "// design rule 2 (docs/design.md), `shared/core/`, pilot/pkg/xds/debug.go", []],
  ])("with %s is found", (_, text, citations) => {
    expect(deadCitations(text, citable)).toEqual(citations);
  });

  it("that is too wide is found, on any of its lines", () => {
    const source = `const a = 1;\n/**\n * ${"x".repeat(WIDTH)}\n * y\n */\nconst b = 2; // ${"z".repeat(WIDTH)}\n`;
    const wide = commentLines("a.ts", source).filter(({ text }) => isTooLong(text, WIDTH));
    expect(wide.map(({ line }) => line)).toEqual([3, 6]);
  });
});

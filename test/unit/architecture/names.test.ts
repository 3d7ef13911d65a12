import { readFileSync } from "node:fs";
import { glob } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "@jest/globals";
import { parseSync } from "oxc-parser";
import { ROOT } from "../../../scripts/paths.ts";

/** Names that more than one file of the product may export, each with the reason. */
const ALLOWED: ReadonlyMap<string, string> = new Map([
  ["status", "a command is named as a person types it: `status`, and `root status`"],
  ["pause", "a command is named as a person types it; `core/roots` has the pause of a root rotation"],
  ["resume", "a command is named as a person types it; `core/roots` has the end of that pause"],
  ["advance", "a command is named as a person types it; `core/roots` has the step that it takes"],
]);

/** What a file exports itself, not what it passes on. */
function exportsOf(path: string, source: string): string[] {
  return parseSync(path, source).module.staticExports.flatMap(({ entries }) =>
    entries.flatMap(({ exportName, moduleRequest }) =>
      moduleRequest === null && exportName.name !== null ? [exportName.name] : [],
    ),
  );
}

/** `name: file, file` for each name that several files export. */
function shared(sources: ReadonlyMap<string, string>): string[] {
  const named = [...sources].flatMap(([path, source]) =>
    exportsOf(path, source).map((name) => ({ name, path })),
  );
  return [...Map.groupBy(named, ({ name }) => name)].flatMap(([name, all]) =>
    all.length > 1 ? [`${name}: ${all.map(({ path }) => path).join(", ")}`] : [],
  );
}

describe("a name that the product exports", () => {
  it("means one thing", async () => {
    const paths = await Array.fromAsync(glob("{functions,shared,cli}/**/*.ts", { cwd: ROOT }));
    expect(paths.length).toBeGreaterThan(100);
    const sources = new Map(paths.map((path) => [path, readFileSync(join(ROOT, path), "utf8")]));
    const names = shared(sources).filter((line) => !ALLOWED.has(line.split(":")[0] ?? ""));
    expect(names).toEqual([]);
  });

  it("is allowed twice only where it is", async () => {
    const paths = await Array.fromAsync(glob("{functions,shared,cli}/**/*.ts", { cwd: ROOT }));
    const sources = new Map(paths.map((path) => [path, readFileSync(join(ROOT, path), "utf8")]));
    const names = new Set(shared(sources).map((line) => line.split(":")[0]));
    expect([...ALLOWED.keys()].filter((name) => !names.has(name))).toEqual([]);
  });

  it("is found where two files export it", () => {
    const sources = new Map([
      ["a.ts", "export const a = 1; export interface B {}"],
      ["b.ts", 'export function a() {} export type { B } from "./a.ts";'],
    ]);
    expect(shared(sources)).toEqual(["a: a.ts, b.ts"]);
  });
});

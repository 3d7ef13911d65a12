import { glob, readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "@jest/globals";
import { ROOT } from "../../../scripts/paths.ts";

/** Lines of diagrams in which mermaid ends a statement early: GitHub then shows an error in their place. */
function broken(text: string): string[] {
  const diagrams = [...text.matchAll(/^```mermaid\n(.*?)^```/gms)].map(([, diagram = ""]) => diagram);
  return diagrams.flatMap((diagram) => diagram.split("\n").filter((line) => line.includes(";")));
}

describe("a diagram of mermaid, for which a semicolon ends a statement", () => {
  it("is found with one", () => {
    expect(broken("```mermaid\nA->>B: CRDs; then istiod\n```\n")).toHaveLength(1);
    expect(broken("CRDs; then istiod\n```mermaid\nA->>B: CRDs\n```\n")).toEqual([]);
  });

  it("is in no document with one", async () => {
    const documents = await Array.fromAsync(glob(["*.md", "docs/**/*.md"], { cwd: ROOT }));
    const texts = await Promise.all(
      documents.map(async (path) => [path, await readFile(join(ROOT, path), "utf8")] as const),
    );
    expect(texts.filter(([, text]) => text.includes("```mermaid"))).not.toEqual([]);
    expect(texts.flatMap(([path, text]) => broken(text).map((line) => `${path}: ${line}`))).toEqual([]);
  });
});

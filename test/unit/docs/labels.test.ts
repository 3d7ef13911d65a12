import { glob, readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "@jest/globals";
import { ROOT } from "../../../scripts/paths.ts";

const FLAG = "--update-labels";
const WARNING = /replaces? (?:all|more)/;

/** Paragraphs and blocks of code that name the flag and do not say what else it does. */
function unwarned(text: string): string[] {
  return text
    .split(/\n\s*\n|^```.*$/m)
    .filter((part) => part.includes(FLAG) && !WARNING.test(part.replace(/\s+/g, " ")));
}

describe("gcloud's --update-labels, which takes every other label off", () => {
  it.each([
    ["a command alone", "Label it:\n\n```sh\ngcloud … --update-labels=mesh_id=a\n```\n", 1],
    ["a warning elsewhere", "It replaces all labels.\n\nThen `--update-labels`.\n", 1],
    ["a warning with it", "`--update-labels` replaces\nall labels.\n", 0],
  ])("is found without a warning: %s", (_, text, count) => {
    expect(unwarned(text)).toHaveLength(count);
  });

  it("is in no document without the warning", async () => {
    const documents = await Array.fromAsync(glob(["*.md", "{docs,terraform}/**/*.md"], { cwd: ROOT }));
    expect(documents).toContain("docs/deploy.md");
    const found = await Promise.all(
      documents.map(async (path) => [path, unwarned(await readFile(join(ROOT, path), "utf8"))] as const),
    );
    expect(found.filter(([, parts]) => parts.length > 0)).toEqual([]);
  });
});

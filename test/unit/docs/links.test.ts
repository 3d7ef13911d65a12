import { existsSync, readFileSync } from "node:fs";
import { glob } from "node:fs/promises";
import { dirname, join } from "node:path";
import { describe, expect, it } from "@jest/globals";
import { ROOT } from "../../../scripts/paths.ts";

/** What begins like this, between backticks, is a path of this repository. */
const PATH = /`((?:bench|cli|docs|functions|sandbox|scripts|shared|terraform|test)\/[\w./-]*\w)`/g;
const LINK = /\[[^\]]*\]\((?!https?:)([^)\s]*)\)/g;

const read = (path: string) => readFileSync(join(ROOT, path), "utf8");

/** As GitHub makes it of a heading. */
function anchorOf(heading: string): string {
  return heading
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N} _-]/gu, "")
    .replaceAll(" ", "-");
}

function anchorsOf(page: string): Set<string> {
  const text = page.replaceAll(/^```.*?^```/gms, "");
  return new Set([...text.matchAll(/^#+ (.*)$/gm)].map(([, heading = ""]) => anchorOf(heading)));
}

/** Links and paths of a page that lead nowhere. */
function lost(page: string, text: string): string[] {
  const links = [...text.matchAll(LINK)].flatMap(([, link = ""]) => {
    const [path = "", anchor] = link.split("#");
    const target = path === "" ? page : join(dirname(page), path);
    const isThere =
      existsSync(join(ROOT, target)) && (anchor === undefined || anchorsOf(read(target)).has(anchor));
    return isThere ? [] : [link];
  });
  const paths = [...text.matchAll(PATH)].flatMap(([, path = ""]) =>
    existsSync(join(ROOT, path)) ? [] : [path],
  );
  return [...links, ...paths];
}

describe("a page", () => {
  it.each([
    ["a link to a file", "[a](gone.md)", ["gone.md"]],
    ["a link to a section", "[a](cost.md#gone)", ["cost.md#gone"]],
    ["a link to a section of its own", "[a](#gone)", ["#gone"]],
    ["a path", "see `shared/gone.ts`", ["shared/gone.ts"]],
    ["nothing", "[a](cost.md#growth), [b](https://example.com/c) and `shared/core/`", []],
  ])("that leads nowhere is found: %s", (_, text, found) => {
    expect(lost("docs/cost.md", text)).toEqual(found);
  });

  it("leads nowhere in none of its links and paths", async () => {
    const pages = await Array.fromAsync(
      glob(["*.md", "docs/*.md", "docs/decisions/*.md", "test/integration/*.md"], { cwd: ROOT }),
    );
    const written = pages.filter((page) => page !== "CHANGELOG.md");
    expect(written).toContain("docs/design.md");
    expect(written.flatMap((page) => lost(page, read(page)).map((link) => `${page}: ${link}`))).toEqual([]);
  });
});

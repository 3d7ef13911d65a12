import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "@jest/globals";
import { withLayers } from "../../../../scripts/docs/layers.ts";
import { PAGES } from "../../../../scripts/docs/pages.ts";
import { ROOT } from "../../../../scripts/paths.ts";
import { variableNames } from "../../../../shared/config.ts";
import { CODES } from "../../../../shared/core/answers/error-codes.ts";
import { REASONS } from "../../../../shared/core/answers/reasons.ts";

describe("generated pages", () => {
  it.each(Object.entries(PAGES))("%s is up to date (else: npm run docs)", (path, render) => {
    expect(readFileSync(join(ROOT, path), "utf8")).toBe(render());
  });

  it("lose no mark: a design without its layers is refused, and an older tree is replaced", () => {
    const page = readFileSync(join(ROOT, "docs/design.md"), "utf8");
    const older = page.replace(/^shared\/core\/ .*$/m, "shared/elsewhere/");
    expect(older).not.toBe(page);
    expect(withLayers(older)).toBe(page);
    expect(() => withLayers(page.replace("<!-- End of", "<!-- end of"))).toThrow("has lost the marks");
  });

  it("name every reason once, under its severity", () => {
    const page = PAGES["docs/reference/reasons.md"]?.() ?? "";
    const sections = page.split(/^## .*$/m).slice(1);
    const listed = sections.map((section) => [...section.matchAll(/^### (\w+)$/gm)].map(([, name]) => name));
    const of = (severity: string) =>
      Object.entries(REASONS).flatMap(([reason, is]) => (is.severity === severity ? [reason] : []));
    expect(listed).toEqual([of("error"), of("warning"), of("info")]);
  });

  it("name every code of an error once, beside the reasons", () => {
    const page = PAGES["docs/reference/errors.md"]?.() ?? "";
    const listed = [...page.matchAll(/^\| `(\w+)` \|/gm)].map(([, name]) => name);
    expect(listed).toEqual(Object.keys(CODES).toSorted());
    expect(Object.keys(CODES).filter((code) => Object.hasOwn(REASONS, code))).toEqual([]);
  });

  it("name every variable and output of Terraform, the required ones first", () => {
    const page = PAGES["docs/reference/terraform.md"]?.() ?? "";
    const declared = (file: string, block: string) => {
      const text = readFileSync(join(ROOT, "terraform", file), "utf8");
      return [...text.matchAll(new RegExp(`^${block} "(\\w+)"`, "gm"))].map(([, name]) => name);
    };
    const variables = [...page.matchAll(/^### `(\w+)`$/gm)].map(([, name]) => name);
    const outputs = [...page.matchAll(/^\| `(\w+)` \|/gm)].map(([, name]) => name);
    expect(new Set(variables)).toEqual(new Set(declared("variables.tf", "variable")));
    expect(new Set(outputs)).toEqual(new Set(declared("outputs.tf", "output")));
    expect(variables.slice(0, 2)).toEqual(["mesh_id", "project"]);
  });

  it("name every variable but those of the sandbox", () => {
    const page = PAGES["docs/reference/config.md"]?.() ?? "";
    const hidden = variableNames().filter((name) => !page.includes(`| \`${name}\` |`));
    expect(hidden).toEqual([
      "MESHJOIN_CONTAINER_ENDPOINT",
      "MESHJOIN_SECRETMANAGER_ENDPOINT",
      "MESHJOIN_COMPUTE_ENDPOINT",
      "MESHJOIN_PROJECT_ENDPOINT",
    ]);
  });
});

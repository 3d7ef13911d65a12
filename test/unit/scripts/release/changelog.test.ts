import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "@jest/globals";
import { ROOT } from "../../../../scripts/paths.ts";
import { notesOf, sectionsOf, withSection } from "../../../../scripts/release/changelog.ts";
import { VERSION } from "../../../../shared/version.ts";

const CHANGELOG = `# Changelog

## 0.2.0 (2026-11-28)

### Features

* two

## 0.1.0 (2026-01-01)

* one
`;

describe("a changelog", () => {
  it("is read section by section", () => {
    expect(
      sectionsOf("# Changelog\n\n## 2.0.0 (2026-11-28)\n\n### Features\n\n* a\n\n## 1.0.0\n\n* b\n"),
    ).toEqual([
      { version: "2.0.0", text: "## 2.0.0 (2026-11-28)\n\n### Features\n\n* a" },
      { version: "1.0.0", text: "## 1.0.0\n\n* b" },
    ]);
  });

  it("gives the section of a version, and fails where it has none", () => {
    expect(notesOf(CHANGELOG, "0.2.0")).toBe("## 0.2.0 (2026-11-28)\n\n### Features\n\n* two");
    expect(() => notesOf(CHANGELOG, "0.3.0")).toThrow(
      "has no section 0.3.0; write it with npm run changelog",
    );
  });

  it.each([
    ["a new one", "0.3.0", ["0.3.0", "0.2.0", "0.1.0"]],
    ["one that is there", "0.2.0", ["0.2.0", "0.1.0"]],
  ])("takes a section as the newest: %s", (_, version, versions) => {
    const changed = withSection(CHANGELOG, { version, text: `## ${version} (2026-12-01)\n\n* three\n\n` });
    expect(sectionsOf(changed).map((section) => section.version)).toEqual(versions);
    expect(notesOf(changed, version)).toBe(`## ${version} (2026-12-01)\n\n* three`);
    expect(changed).toMatch(/^# Changelog\n\n## .*[^\n]\n$/s);
  });

  it("of this project begins with this version, and says something of it", async () => {
    const changelog = await readFile(join(ROOT, "CHANGELOG.md"), "utf8");
    expect(sectionsOf(changelog).map(({ version }) => version)).toEqual([VERSION, "0.1.0"]);
    expect(notesOf(changelog, VERSION)).toMatch(/^## \S+ \(\d{4}-\d\d-\d\d\)\n\n### [^\n]+\n\n\* /);
  });
});

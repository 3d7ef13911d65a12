const TITLE = "# Changelog";

/** The start of a version's section, which reaches down to the next version. */
const SECTIONS = /^## (?=\d)/m;

interface Section {
  readonly version: string;
  /** Without an end of line at its end. */
  readonly text: string;
}

/** The newest first, as they stand there. */
export function sectionsOf(changelog: string): Section[] {
  const [, ...parts] = changelog.split(SECTIONS);
  return parts.map((part) => ({
    version: /^[^\s(]+/.exec(part)?.[0] ?? "",
    text: `## ${part.trimEnd()}`,
  }));
}

/** What a version brings. Fails where the changelog does not say it. */
export function notesOf(changelog: string, version: string): string {
  const section = sectionsOf(changelog).find((each) => each.version === version);
  if (section === undefined)
    throw new Error(`CHANGELOG.md has no section ${version}; write it with npm run changelog`);
  return section.text;
}

/** With this section as the newest; it takes the place of one of the same version. */
export function withSection(changelog: string, { version, text }: Section): string {
  const others = sectionsOf(changelog).filter((each) => each.version !== version);
  return `${[TITLE, text.trim(), ...others.map((each) => each.text)].join("\n\n")}\n`;
}

import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { ConventionalChangelog } from "conventional-changelog";
import { VERSION } from "../../shared/version.ts";
import { ROOT } from "../paths.ts";
import { writeIfChanged } from "../write-file.ts";
import { sectionsOf, withSection } from "./changelog.ts";

const CHANGELOG = join(ROOT, "CHANGELOG.md");
/** The last commit of a version that has no tag. */
const UNTAGGED: Readonly<Record<string, string>> = { "0.1.0": "4cc4d41" };

async function git(...args: readonly string[]): Promise<string> {
  return (await promisify(execFile)("git", args, { cwd: ROOT })).stdout.trim();
}

/** Where the commits of this version begin: at the version before it. */
async function previous(changelog: string): Promise<string> {
  const version = sectionsOf(changelog).find((each) => each.version !== VERSION)?.version;
  if (version === undefined)
    throw new Error("CHANGELOG.md names no version before this one; add its section");
  return UNTAGGED[version] ?? `v${version}`;
}

/**
 * The section of package.json's version in CHANGELOG.md, anew from the Conventional Commits since the version
 * before.
 */
async function main(): Promise<void> {
  const changelog = await readFile(CHANGELOG, "utf8");
  const from = await previous(changelog);
  const generator = new ConventionalChangelog(ROOT)
    .loadPreset({ name: "conventionalcommits" })
    .package({ version: VERSION })
    .context({ date: await git("log", "-1", "--format=%cs"), linkReferences: false, linkCompare: false })
    .commits({ from });
  const text = (await Array.fromAsync(generator.write())).join("");
  const changed = await writeIfChanged(CHANGELOG, withSection(changelog, { version: VERSION, text }));
  console.log(`CHANGELOG.md ${changed ? "written" : "is up to date"}: ${VERSION}, from ${from}`);
}

await main();

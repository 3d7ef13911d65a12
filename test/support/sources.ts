import { execFile } from "node:child_process";
import { cp, mkdir } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { ROOT } from "../../scripts/paths.ts";

/** What a release is made from. */
const SOURCES = [
  "functions",
  "shared",
  "cli",
  "scripts",
  "sandbox",
  "terraform",
  "package.json",
  "package-lock.json",
  "tsconfig.json",
  "LICENSE",
  "CHANGELOG.md",
];
/**
 * The same sources elsewhere, written now; packages are the same files under other names, or copies of them.
 */
export async function copySources(to: string): Promise<void> {
  await mkdir(to, { recursive: true });
  for (const name of SOURCES) await cp(join(ROOT, name), join(to, name), { recursive: true });
  const copying = `cp -al "$0" "$1" 2>/dev/null || { rm -rf "$1"; cp -a "$0" "$1"; }`;
  await promisify(execFile)("sh", ["-c", copying, join(ROOT, "node_modules"), join(to, "node_modules")]);
}

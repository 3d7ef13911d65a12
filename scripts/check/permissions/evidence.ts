import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import type { Asked } from "../../../sandbox/google/permissions/iam.ts";
import { CACHE, ROOT } from "../../paths.ts";

const SCENARIOS = join(ROOT, "test", "integration");
const FOLDER = join(CACHE, "permissions");

/**
 * What the functions asked IAM for while the scenarios of one file ran; replaces what an earlier run of it
 * left.
 */
export async function recordAsked(testPath: string, asked: readonly Asked[]): Promise<void> {
  const name = basename(testPath, ".test.ts");
  const named = asked.map((each) => ({
    ...each,
    scenario: each.scenario === "" ? `${name}: the fleet starts` : `${name}: ${each.scenario}`,
  }));
  await mkdir(FOLDER, { recursive: true });
  await writeFile(join(FOLDER, `${name}.json`), `${JSON.stringify(named, null, 1)}\n`);
}

/** Of all files that have been run since `forgetAsked`. */
export async function readAsked(): Promise<Asked[]> {
  const files: string[] = await readdir(FOLDER).catch(() => []);
  const texts = await Promise.all(files.toSorted().map((file) => readFile(join(FOLDER, file), "utf8")));
  return texts.flatMap((text): Asked[] => JSON.parse(text));
}

/**
 * Files of scenarios that have not been run since: what only they need would seem to be granted for nothing.
 */
export async function filesNotRun(): Promise<string[]> {
  const ran = new Set(await readdir(FOLDER).catch(() => []));
  const files = (await readdir(SCENARIOS)).filter((file) => file.endsWith(".test.ts"));
  return files.map((file) => basename(file, ".test.ts")).filter((name) => !ran.has(`${name}.json`));
}

export async function forgetAsked(): Promise<void> {
  await rm(FOLDER, { recursive: true, force: true });
}

import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ROOT } from "../paths.ts";
import { copyModules } from "../terraform/copy.ts";
import { pathsIn } from "./archive.ts";

/** For who changes the modules; what they need is not there. */
const TESTS = /^tests\//;

/**
 * The modules and their examples, without anything of a deployment made from here, and without their tests.
 */
export async function terraformModule(): Promise<ReadonlyMap<string, Uint8Array>> {
  const directory = await mkdtemp(join(tmpdir(), "meshjoin-modules-"));
  try {
    const copy = join(directory, "terraform");
    copyModules(join(ROOT, "terraform"), copy);
    const paths = (await pathsIn(copy)).filter((path) => !TESTS.test(path));
    const files = await Promise.all(
      paths.map(async (path) => [path, await readFile(join(copy, path))] as const),
    );
    return new Map([...files, ["LICENSE", await readFile(join(ROOT, "LICENSE"))]]);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

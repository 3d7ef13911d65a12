import { execFile } from "node:child_process";
import { promisify } from "node:util";

const TARGETS = { download: "--dest", install: "--target" } as const;

/**
 * Puts the wheels of a requirements file into a directory, packed or installed; no environment is touched.
 * pip takes nothing whose hash is not pinned there, resolves nothing and builds nothing.
 */
export async function pip(
  command: keyof typeof TARGETS,
  requirements: string,
  directory: string,
): Promise<void> {
  const careful = ["--no-deps", "--only-binary=:all:", "--require-hashes"];
  const quiet = ["--quiet", "--disable-pip-version-check"];
  const args = [...quiet, ...careful, TARGETS[command], directory, "--requirement", requirements];
  await promisify(execFile)("python3", ["-m", "pip", command, ...args]);
}

import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { access, mkdir, mkdtemp, readFile, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { userCache } from "../../../sandbox/binaries/cache.ts";
import { pip } from "../../../sandbox/binaries/pip.ts";
import { UnavailableError } from "../../../shared/errors.ts";

const REQUIREMENTS = fileURLToPath(new URL("pkilint/requirements.txt", import.meta.url));
const LINT = fileURLToPath(new URL("pkilint/lint.py", import.meta.url));

const run = promisify(execFile);

interface Report {
  readonly results: readonly {
    readonly node_path: string;
    readonly finding_descriptions: readonly { readonly code: string; readonly message: string | null }[];
  }[];
}

/**
 * The findings of severity ERROR and above, for each file. pkilint comes from the Python package index that pip is set up
 * with, once: it is kept in the user's cache.
 */
export async function lint(files: readonly string[]): Promise<string[][]> {
  const PYTHONPATH = await ensurePkilint();
  const { stdout } = await run("python3", [LINT, ...files], { env: { ...process.env, PYTHONPATH } });
  return stdout
    .trimEnd()
    .split("\n")
    .map((line) => {
      const { results }: Report = JSON.parse(line);
      return results.flatMap(({ node_path: at, finding_descriptions: findings }) =>
        findings.map(({ code, message }) => `${code} at ${at}${message === null ? "" : `: ${message}`}`),
      );
    });
}

async function ensurePkilint(): Promise<string> {
  try {
    const directory = userCache("python", await cacheKey());
    if (!(await isThere(directory))) await install(directory);
    return directory;
  } catch (cause) {
    throw new UnavailableError(
      `cannot get pkilint: ${String(cause).trimEnd()}\nsee that python3 is on the PATH, is Python 3.10 or newer, has pip, and that pip reaches ` +
        "a package index",
      { code: "PkilintMissing", cause },
    );
  }
}

/** Some wheels are made for one Python on one platform. */
async function cacheKey(): Promise<string> {
  const tag = "import sys, sysconfig; print(sys.implementation.cache_tag, sysconfig.get_platform())";
  const { stdout } = await run("python3", ["-c", tag]);
  const hash = createHash("sha256").update(await readFile(REQUIREMENTS));
  return `pkilint-${hash.update(stdout).digest("hex").slice(0, 16)}`;
}

/** Renamed when it is whole; of two that install at once the second finds that the first has done it. */
async function install(directory: string): Promise<void> {
  await mkdir(dirname(directory), { recursive: true });
  const work = await mkdtemp(`${directory}.`);
  const fresh = join(work, "site");
  try {
    await pip("install", REQUIREMENTS, fresh);
    await rename(fresh, directory).catch(async (error: unknown) => {
      if (!(await isThere(directory))) throw error;
    });
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

async function isThere(path: string): Promise<boolean> {
  return await access(path).then(
    () => true,
    () => false,
  );
}

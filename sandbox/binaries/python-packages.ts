import { execFile } from "node:child_process";
import { access, mkdir, mkdtemp, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { userCache } from "./cache.ts";

/**
 * A directory of the user's cache for `PYTHONPATH`, which `install` fills once: one for each name, Python and
 * platform, because some packages are made for one of them. Fails where there is no Python 3 with pip.
 */
export async function pythonPackages(
  name: string,
  install: (directory: string) => Promise<void>,
): Promise<string> {
  const directory = userCache("python", `${name}-${await pythonTag()}`);
  if (!(await isThere(directory))) await installWhole(directory, install);
  return directory;
}

async function pythonTag(): Promise<string> {
  const tag =
    "import pip, sys, sysconfig; print(sys.implementation.cache_tag, sysconfig.get_platform(), sep='-')";
  const { stdout } = await promisify(execFile)("python3", ["-c", tag]);
  return stdout.trim();
}

/** Renamed when it is whole; of two that install at once the second finds that the first has done it. */
async function installWhole(directory: string, install: (directory: string) => Promise<void>): Promise<void> {
  await mkdir(dirname(directory), { recursive: true });
  const work = await mkdtemp(`${directory}.`);
  const fresh = join(work, "site");
  try {
    await install(fresh);
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

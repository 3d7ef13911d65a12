import { cp, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const SOURCES = fileURLToPath(new URL("../..", import.meta.url));

interface Lockfile {
  readonly packages: Readonly<Record<string, object>>;
}

/**
 * What Cloud Functions makes of the uploaded bundle: its files elsewhere, with the packages that its own
 * lockfile names and no others. They are copies of those of the work tree, which are the same versions; no
 * registry is asked.
 */
export async function deployBundle(bundle: string, directory: string): Promise<string> {
  await rm(directory, { recursive: true, force: true });
  await cp(bundle, directory, { recursive: true });
  const lock: Lockfile = JSON.parse(await readFile(join(directory, "package-lock.json"), "utf8"));
  const packages = Object.keys(lock.packages).filter((path) => path !== "");
  const withoutOwn = (source: string, path: string): boolean =>
    !source.startsWith(join(SOURCES, path, "node_modules"));
  await Promise.all(
    packages.map((path) =>
      cp(join(SOURCES, path), join(directory, path), {
        recursive: true,
        filter: (source) => withoutOwn(source, path),
      }),
    ),
  );
  return directory;
}

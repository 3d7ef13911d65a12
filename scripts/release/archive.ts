import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import { create } from "tar";

/** What npm gives the files of its packages: when a file was written says nothing about it. */
const WRITTEN = new Date("1985-10-26T08:15:00.000Z");

/**
 * A tar.gz of these files below `prefix`; the same files give the same bytes, wherever and whenever they were
 * written.
 */
export async function archive(
  files: ReadonlyMap<string, Uint8Array | string>,
  prefix: string,
): Promise<Uint8Array> {
  const directory = await mkdtemp(join(tmpdir(), "meshjoin-archive-"));
  try {
    for (const [name, content] of files) {
      await mkdir(join(directory, dirname(name)), { recursive: true });
      await writeFile(join(directory, name), content, { mode: 0o644 });
    }
    const names = [...files.keys()].toSorted((a, b) => (a < b ? -1 : 1));
    const stream = create(
      { cwd: directory, gzip: { level: 9 }, portable: true, mtime: WRITTEN, prefix, strict: true },
      names,
    );
    return Buffer.concat(await Array.fromAsync(stream));
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** All files below a folder, by their paths in it. */
export async function pathsIn(directory: string): Promise<string[]> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => relative(directory, join(entry.parentPath, entry.name)))
    .toSorted((a, b) => (a < b ? -1 : 1));
}

import { readdir, readFile } from "node:fs/promises";
import { join, relative } from "node:path";
import { crc32, deflateRawSync } from "node:zlib";

/** https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT */
const LOCAL_FILE = 0x04034b50;
const CENTRAL_FILE = 0x02014b50;
const END = 0x06054b50;
const VERSION = 20;
/** Names are UTF-8. */
const FLAGS = 0x0800;
const DEFLATED = 8;
/** 1980-01-01, the first day that a zip knows: when a file was written says nothing about it. */
const DATE = 0x0021;
const UNIX = 3 << 8;
const REGULAR_FILE = 0o100644;

/** All files of a folder; the same files give the same bytes, wherever and whenever they were written. */
export async function zipDirectory(directory: string): Promise<Buffer> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  const names = entries
    .filter((entry) => entry.isFile())
    .map((entry) => relative(directory, join(entry.parentPath, entry.name)))
    .toSorted((a, b) => (a < b ? -1 : 1));
  const files = await Promise.all(
    names.map(async (name) => ({ name, content: await readFile(join(directory, name)) })),
  );
  return zipFiles(files);
}

interface ZipFile {
  readonly name: string;
  readonly content: Buffer;
}

function zipFiles(files: readonly ZipFile[]): Buffer {
  const parts: Buffer[] = [];
  const central: Buffer[] = [];
  let offset = 0;
  for (const { name, content } of files) {
    const path = Buffer.from(name);
    const deflated = deflateRawSync(content, { level: 9 });
    const common = words(
      [VERSION, 2],
      [FLAGS, 2],
      [DEFLATED, 2],
      [0, 2],
      [DATE, 2],
      [crc32(content), 4],
      [deflated.length, 4],
      [content.length, 4],
      [path.length, 2],
      [0, 2],
    );
    const local = [words([LOCAL_FILE, 4]), common, path, deflated];
    const attributes = words([0, 2], [0, 2], [0, 2], [REGULAR_FILE * 0x10000, 4], [offset, 4]);
    central.push(words([CENTRAL_FILE, 4], [UNIX | VERSION, 2]), common, attributes, path);
    parts.push(...local);
    offset += local.reduce((sum, { length }) => sum + length, 0);
  }
  const size = central.reduce((sum, { length }) => sum + length, 0);
  const count = files.length;
  const end = words([END, 4], [0, 2], [0, 2], [count, 2], [count, 2], [size, 4], [offset, 4], [0, 2]);
  return Buffer.concat([...parts, ...central, end]);
}

/** Little-endian numbers, each with how many bytes it takes. */
function words(...values: readonly (readonly [number, 2 | 4])[]): Buffer {
  const buffer = Buffer.alloc(values.reduce((sum, [, bytes]) => sum + bytes, 0));
  let at = 0;
  for (const [value, bytes] of values) at = buffer.writeUIntLE(value, at, bytes);
  return buffer;
}

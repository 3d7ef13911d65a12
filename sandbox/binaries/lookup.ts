import { constants } from "node:fs";
import { access } from "node:fs/promises";
import { join } from "node:path";

export async function isExecutable(path: string): Promise<boolean> {
  return isThere(path, constants.X_OK);
}

async function isThere(path: string, mode: number): Promise<boolean> {
  return access(path, mode).then(
    () => true,
    () => false,
  );
}

/** One's own directories win over the cache, file by file. */
async function find(name: string, cache: string, mode: number): Promise<string | undefined> {
  const directories = [process.env["MESHJOIN_BINARIES"], process.env["KUBEBUILDER_ASSETS"], cache];
  for (const directory of directories) {
    const path = join(directory ?? "", name);
    if (directory !== undefined && directory !== "" && (await isThere(path, mode))) return path;
  }
  return undefined;
}

export async function findExecutable(name: string, cache: string): Promise<string | undefined> {
  return find(name, cache, constants.X_OK);
}

export async function findReadable(name: string, cache: string): Promise<string | undefined> {
  return find(name, cache, constants.R_OK);
}

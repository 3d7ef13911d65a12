import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { ROOT } from "../paths.ts";
import { type Lockfile, lockFor } from "./bundle-lock.ts";

export const FRAMEWORK = "@google-cloud/functions-framework";

/**
 * What Cloud Functions' build installs from: one dependency, every version below it as locked here, so that
 * it runs `npm ci`, and no install script of any of them.
 * https://cloud.google.com/docs/buildpacks/nodejs
 */
export async function bundlePackage(version: string): Promise<ReadonlyMap<string, string>> {
  const [manifest, lock] = await Promise.all(
    ["package.json", "package-lock.json"].map((name) => readFile(join(ROOT, name), "utf8")),
  );
  const own: { dependencies: Record<string, string> } = JSON.parse(manifest ?? "");
  const locked: Lockfile = JSON.parse(lock ?? "");
  const framework = own.dependencies[FRAMEWORK];
  if (framework === undefined || !/^\d/.test(framework)) {
    throw new Error(`package.json must name one exact version of ${FRAMEWORK}`);
  }
  const root = {
    name: "meshjoin-functions",
    version,
    engines: { node: "24" },
    dependencies: { [FRAMEWORK]: framework },
  };
  return new Map([
    ["package.json", text({ ...root, private: true, type: "module", main: "index.js" })],
    ["package-lock.json", text(lockFor(locked, root))],
    [".npmrc", "ignore-scripts=true\n"],
  ]);
}

function text(value: object): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}

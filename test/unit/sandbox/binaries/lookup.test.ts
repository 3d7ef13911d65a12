import { chmod, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "@jest/globals";
import { findExecutable, findReadable } from "../../../../sandbox/binaries/lookup.ts";

const VARIABLES = ["MESHJOIN_BINARIES", "KUBEBUILDER_ASSETS"] as const;
const before = VARIABLES.map((name) => [name, process.env[name]] as const);
let dir: string;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "meshjoin-lookup-"));
  for (const name of ["own", "assets", "cache"]) await mkdir(join(dir, name));
  process.env["MESHJOIN_BINARIES"] = join(dir, "own");
  process.env["KUBEBUILDER_ASSETS"] = join(dir, "assets");
});

afterEach(async () => {
  for (const [name, value] of before) {
    if (value === undefined) delete process.env[name];
    else process.env[name] = value;
  }
  await rm(dir, { recursive: true, force: true });
});

async function put(path: string, mode: number): Promise<void> {
  await writeFile(join(dir, path), "");
  await chmod(join(dir, path), mode);
}

it("one's own directory wins over the assets, and they over the cache, file by file", async () => {
  const cache = join(dir, "cache");
  expect(await findExecutable("envoy", cache)).toBeUndefined();
  await put("cache/envoy", 0o755);
  expect(await findExecutable("envoy", cache)).toBe(join(cache, "envoy"));
  await put("assets/envoy", 0o755);
  expect(await findExecutable("envoy", cache)).toBe(join(dir, "assets/envoy"));
  await put("own/envoy", 0o755);
  expect(await findExecutable("envoy", cache)).toBe(join(dir, "own/envoy"));
});

it("a program must be executable, a file need not", async () => {
  await put("own/envoy", 0o644);
  expect(await findExecutable("envoy", join(dir, "cache"))).toBeUndefined();
  expect(await findReadable("envoy", join(dir, "cache"))).toBe(join(dir, "own/envoy"));
});

it("an empty variable names no directory", async () => {
  process.env["MESHJOIN_BINARIES"] = "";
  process.env["KUBEBUILDER_ASSETS"] = "";
  expect(await findExecutable("package.json", join(dir, "cache"))).toBeUndefined();
});

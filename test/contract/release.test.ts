import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import manifest from "../../package.json" with { type: "json" };
import { ensureBinaries } from "../../sandbox/binaries/build.ts";
import { ROOT } from "../../scripts/paths.ts";
import { releaseFiles } from "../../scripts/release/release.ts";
import pin from "../../shared/istio/pin.json" with { type: "json" };
import { copySources } from "../support/sources.ts";
import { standInForTheRelease } from "./stand-in-istioctl.ts";

const BUILD_TIMEOUT_MS = 30 * 60_000;
const progress = (line: string) => void process.stderr.write(`${line}\n`);
const run = promisify(execFile);

type Files = ReadonlyMap<string, Uint8Array | string>;

let work: string;
let istioctl: string;
let released: Files;
let directory: string;

beforeAll(async () => {
  work = await mkdtemp(join(tmpdir(), "meshjoin-release-test-"));
  ({ istioctl } = await ensureBinaries(progress, pin.release));
  const releaseIstioctl = await standInForTheRelease(join(work, "istioctl"), {
    istioctl,
    release: pin.release,
  });
  released = await releaseFiles({ progress, releaseIstioctl });
  directory = join(work, "released");
  await mkdir(directory);
  for (const [name, content] of released) await writeFile(join(directory, name), content);
}, BUILD_TIMEOUT_MS);
afterAll(() => rm(work, { recursive: true, force: true }));

const named = (suffix: string) => `meshjoin${suffix}`.replace("VERSION", manifest.version);

/** File names whose bytes are others than of the release that was made here. */
async function differingIn(sources: string): Promise<string[]> {
  const args = [join(sources, "scripts", "release", "release.ts"), "--istioctl", join(work, "istioctl")];
  await run(process.execPath, args, { cwd: work });
  const pairs = await Promise.all(
    [...released].map(async ([name, content]) => {
      const again = await readFile(join(sources, "release", name));
      return again.equals(Buffer.from(content)) ? [] : [name];
    }),
  );
  return pairs.flat();
}

describe("a release", () => {
  it("has the functions, the command line, the modules, what they are made of, notes and sums", async () => {
    expect([...released.keys()]).toEqual([
      named("-functions-VERSION.zip"),
      named("-VERSION.tgz"),
      named("-terraform-VERSION.tgz"),
      named("-VERSION.cdx.json"),
      "NOTES.md",
      "SHA256SUMS",
    ]);
    await run("sha256sum", ["--check", "--strict", "SHA256SUMS"], { cwd: directory });
    await writeFile(join(work, "NOTES.md"), `${String(released.get("NOTES.md"))} `);
    await writeFile(join(work, "SHA256SUMS"), String(released.get("SHA256SUMS")));
    await expect(
      run("sha256sum", ["--check", "--strict", "--ignore-missing", "SHA256SUMS"], { cwd: work }),
    ).rejects.toMatchObject({ stdout: expect.stringContaining("NOTES.md: FAILED") });
  });

  it(
    "is the same bytes from the same sources elsewhere; a time that gets into a file is seen",
    async () => {
      const sources = join(work, "further", "down");
      await copySources(sources);
      expect((await stat(join(sources, "package.json"))).mtimeMs).toBeGreaterThan(
        (await stat(join(ROOT, "package.json"))).mtimeMs,
      );
      expect(await differingIn(sources)).toEqual([]);

      const archive = join(sources, "scripts", "release", "archive.ts");
      const text = await readFile(archive, "utf8");
      expect(text).toContain("mtime: WRITTEN");
      await writeFile(archive, text.replace("mtime: WRITTEN", "mtime: new Date()"));
      expect(await differingIn(sources)).toEqual([
        named("-VERSION.tgz"),
        named("-terraform-VERSION.tgz"),
        "SHA256SUMS",
      ]);
    },
    BUILD_TIMEOUT_MS,
  );

  it("installs a command that needs no other package", async () => {
    const prefix = join(work, "installed");
    const env = { PATH: `${dirname(process.execPath)}:${process.env["PATH"]}`, HOME: work };
    const install = ["install", "--global", "--prefix", prefix, "--offline", "--no-audit"];
    await run("npm", [...install, join(directory, named("-VERSION.tgz"))], { cwd: work, env });
    const meshjoin = join(prefix, "bin", "meshjoin");
    const { stdout } = await run(meshjoin, ["--version"], { cwd: work, env });
    expect(stdout).toBe(`meshjoin ${manifest.version} (Istio ${pin.release})\n`);
    await expect(
      run(meshjoin, ["plan"], { cwd: work, env: { ...env, MESHJOIN_MESH_ID: "prod" } }),
    ).rejects.toMatchObject({ code: 2, stderr: expect.stringContaining("MESHJOIN_PROJECTS") });
  });

  it("has modules without state, variables or tests of anybody", async () => {
    const { stdout } = await run("tar", ["-tzf", named("-terraform-VERSION.tgz")], { cwd: directory });
    const names = stdout.trim().split("\n");
    expect(names).toEqual(
      expect.arrayContaining([
        "terraform/LICENSE",
        "terraform/main.tf",
        "terraform/modules/identity/main.tf",
        "terraform/examples/single-project/main.tf",
      ]),
    );
    const ofModule = /^terraform\/(?:LICENSE|[\w/-]+\.tf|examples\/[\w-]+\/[\w-]+\.(?:md|yaml))$/;
    expect(names.filter((name) => !ofModule.test(name))).toEqual([]);
  });

  it("names every package in it, under the licence that it has", () => {
    const bom: {
      bomFormat: string;
      serialNumber?: string;
      metadata: { timestamp?: string; component: { version: string } };
      components: { name: string; group?: string; version: string; licenses?: unknown[] }[];
    } = JSON.parse(String(released.get(named("-VERSION.cdx.json"))));
    expect([bom.bomFormat, bom.serialNumber, bom.metadata.timestamp]).toEqual([
      "CycloneDX",
      undefined,
      undefined,
    ]);
    expect(bom.metadata.component.version).toBe(manifest.version);
    const listed = bom.components.map(({ group, name, version }) => [
      group === undefined ? name : `${group}/${name}`,
      version,
    ]);
    expect(listed).toEqual(expect.arrayContaining(Object.entries(manifest.dependencies)));
    const names = new Set(listed.map(([name]) => name));
    expect(["jest", "typescript", "esbuild"].filter((name) => names.has(name))).toEqual([]);
    expect(bom.components.filter(({ licenses = [] }) => licenses.length === 0)).toEqual([]);
  });

  it("says what the version brings, and no word of a sandbox", () => {
    const notes = String(released.get("NOTES.md"));
    expect(notes).toMatch(new RegExp(`^# Meshjoin ${manifest.version}\\n`));
    expect(notes).toContain(`It installs Istio ${pin.release}.`);
    expect(notes).toContain(`## ${manifest.version} (`);
    expect(notes).not.toContain("## 0.1.0");
    expect(notes).not.toContain("sandbox alone");
  });

  it.each([
    ["charts of anything else", () => ["--istioctl", istioctl], "does not hold the charts of Istio"],
    ["no istioctl", () => [], "name it with --istioctl"],
    ["both", () => ["--snapshot", "--istioctl", istioctl], "leave one of --snapshot and --istioctl out"],
  ])("is not made with %s", async (_, args, words) => {
    const env = { ...process.env, MESHJOIN_ISTIOCTL: "" };
    await expect(
      run(process.execPath, [join(ROOT, "scripts", "release", "release.ts"), ...args()], { env }),
    ).rejects.toMatchObject({ stderr: expect.stringContaining(words) });
  });
});

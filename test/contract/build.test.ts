import { execFile } from "node:child_process";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { ensureBinaries } from "../../sandbox/binaries/build.ts";
import { deployBundle } from "../../sandbox/fleet/deployment.ts";
import { buildFunctions } from "../../scripts/build/build.ts";
import type { Manifest } from "../../scripts/build/manifest/render.ts";
import { zipDirectory } from "../../scripts/build/zip.ts";
import { ROOT } from "../../scripts/paths.ts";
import { parsePin } from "../../shared/istio/pin.ts";
import { standInForTheRelease, VERSION_LABEL } from "./stand-in-istioctl.ts";

const BUILD_TIMEOUT_MS = 30 * 60_000;
const progress = (line: string) => void process.stderr.write(`${line}\n`);

let work: string;
let istioctl: string;
let release: string;
let built: readonly Map<string, Buffer>[];

async function filesOf(directory: string): Promise<Map<string, Buffer>> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  const paths = entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .toSorted((a, b) => (a < b ? -1 : 1));
  const contents = await Promise.all(paths.map((path) => readFile(path)));
  return new Map(paths.map((path, index) => [relative(directory, path), contents[index] ?? Buffer.of()]));
}

const standIn = (name: string, more = "") =>
  standInForTheRelease(join(work, name), { istioctl, release, more });

beforeAll(async () => {
  work = await mkdtemp(join(tmpdir(), "meshjoin-build-"));
  ({ release } = parsePin(await readFile(join(ROOT, "shared/istio/pin.json"), "utf8")));
  ({ istioctl } = await ensureBinaries(progress, release));
  const once = join(work, "once");
  const again = join(work, "further", "down", "again");
  const released = join(work, "released");
  await buildFunctions({ progress, directory: once });
  await buildFunctions({ progress, directory: again });
  await buildFunctions({
    progress,
    directory: released,
    releaseIstioctl: await standIn("istioctl"),
  });
  built = await Promise.all([once, again, released].map(filesOf));
}, BUILD_TIMEOUT_MS);
afterAll(() => rm(work, { recursive: true, force: true }));

const differing = (a: ReadonlyMap<string, Buffer>, b: ReadonlyMap<string, Buffer>): string[] =>
  [...new Set([...a.keys(), ...b.keys()])].filter(
    (name) => b.get(name)?.equals(a.get(name) ?? Buffer.of()) !== true,
  );

describe("the build", () => {
  it("gives the same bytes in another folder, also as the zip that is uploaded", async () => {
    const [once = new Map(), again = new Map()] = built;
    expect(once.size).toBeGreaterThan(10);
    expect(differing(once, again)).toEqual([]);
    const zips = await Promise.all(
      ["once", "further/down/again"].map((name) => zipDirectory(join(work, name))),
    );
    expect(zips[0]?.equals(zips[1] ?? Buffer.of())).toBe(true);
  });

  it("of a release differs in the rendered manifests and nothing else", () => {
    const [snapshot = new Map(), , released = new Map()] = built;
    expect(differing(snapshot, released)).toEqual(["istio/manifest.json"]);
    expect(JSON.parse(String(snapshot.get("istio/manifest.json")))).toMatchObject({ renderer: "snapshot" });
    expect(JSON.parse(String(released.get("istio/manifest.json")))).toMatchObject({
      renderer: "release",
      pin: { release },
    });
  });

  it("makes one rendering of one istioctl for the sandbox and for a release, but for the field `renderer`", () => {
    const [snapshot, , released] = built.map((files) => String(files.get("istio/manifest.json")));
    const labels = new RegExp(`("${VERSION_LABEL}":)"[^"]*"`, "gu");
    // What the stand-in rewrote is no difference, and the digest is of the rest.
    const parsed = [snapshot, released].map((text = "") => {
      const { renderer, digest, ...rest }: Manifest = JSON.parse(text.replaceAll(labels, '$1""'));
      return { renderer, digest, rest };
    });
    expect(parsed.map(({ renderer }) => renderer)).toEqual(["snapshot", "release"]);
    expect(parsed[0]?.rest).toEqual(parsed[1]?.rest);
    expect(parsed[0]?.rest.objects.map(({ kind }) => kind)).toContain("PodDisruptionBudget");
  });

  it("of a release refuses kinds that permissions were not derived for, and says what to do", async () => {
    const policy =
      "---\napiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: istiod, namespace: istio-system}";
    const directory = join(work, "refused");
    const releaseIstioctl = await standIn("istioctl-of-more", policy);
    const message = await buildFunctions({ progress, directory, releaseIstioctl }).then(
      () => "nothing was refused",
      (error: unknown) => String(error),
    );
    expect(message).toContain("networking.k8s.io/v1 NetworkPolicy is rendered and not in it");
    expect(message).toContain("--update-inventory");
    expect(await readdir(directory).catch(() => [])).toEqual([]);
  });

  it("of a release refuses the charts of anything else", async () => {
    const directory = join(work, "refused");
    await expect(buildFunctions({ progress, directory, releaseIstioctl: istioctl })).rejects.toThrow(
      `does not hold the charts of Istio ${release}`,
    );
    expect(await readdir(directory).catch(() => [])).toEqual([]);
  });

  it("of a release refuses to guess which istioctl is meant", async () => {
    const args = [join(ROOT, "scripts", "build", "build.ts"), "--release"];
    const env = { ...process.env, MESHJOIN_ISTIOCTL: "" };
    await expect(promisify(execFile)(process.execPath, args, { env })).rejects.toMatchObject({
      stderr: expect.stringContaining("--istioctl"),
    });
  });

  it("zips what unzip takes out again", async () => {
    const zip = join(work, "dist.zip");
    await writeFile(zip, await zipDirectory(join(work, "once")));
    const list =
      "import sys,zipfile; z=zipfile.ZipFile(sys.argv[1]); assert z.testzip() is None; z.extractall(sys.argv[2])";
    await promisify(execFile)("python3", ["-c", list, zip, join(work, "unzipped")]);
    expect(differing(await filesOf(join(work, "unzipped")), built[0] ?? new Map())).toEqual([]);
  });

  it("runs elsewhere with the packages of its own lockfile, and with nothing of the work tree", async () => {
    const directory = await deployBundle(join(work, "once"), join(work, "deployed"));
    const files = await readdir(directory, { recursive: true, withFileTypes: true });
    expect(files.filter((file) => file.isSymbolicLink())).toEqual([]);
    const { resolve } = createRequire(join(directory, "index.js"));
    expect(resolve("@google-cloud/functions-framework/testing").startsWith(directory)).toBe(true);
    expect(() => resolve("zod")).toThrow("Cannot find module");
    const load = `await import(${JSON.stringify(join(directory, "index.js"))}); console.log("loaded")`;
    const env = { PATH: process.env["PATH"], MESHJOIN_MESH_ID: "prod", MESHJOIN_PROJECTS: "shop" };
    const loading = promisify(execFile)(process.execPath, ["--input-type=module", "-e", load], {
      cwd: directory,
      env,
    });
    await expect(loading).resolves.toMatchObject({ stdout: "loaded\n" });
  });

  it("names every package that is installed with it, and runs no script of any", () => {
    const files = built[0] ?? new Map<string, Buffer>();
    const lock: {
      packages: Record<string, { resolved?: string; hasInstallScript?: boolean; integrity?: string }>;
    } = JSON.parse(String(files.get("package-lock.json")));
    const locked = Object.entries(lock.packages).filter(([path]) => path !== "");
    expect(locked.length).toBeGreaterThan(20);
    expect(
      locked.filter(([, { integrity, resolved }]) => integrity === undefined || resolved !== undefined),
    ).toEqual([]);
    expect(locked.filter(([, { hasInstallScript }]) => hasInstallScript === true)).toEqual([]);
    expect(String(files.get(".npmrc"))).toBe("ignore-scripts=true\n");
  });
});

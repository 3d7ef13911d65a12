import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { VERSION } from "../../shared/version.ts";
import { DIST } from "../paths.ts";
import { writeIfChanged } from "../write-file.ts";
import { bundle } from "./bundle.ts";
import { bundlePackage } from "./bundle-package.ts";
import { UPDATE_FLAG } from "./manifest/inventory.ts";
import { type ManifestOptions, type ManifestText, manifestText } from "./manifest/manifest.ts";
import { UPDATE_MESH_CONFIG_FLAG } from "./manifest/mesh-config.ts";
import { zipDirectory } from "./zip.ts";

export interface BuildOptions extends ManifestOptions {
  /** package.json's unless given. */
  readonly version?: string;
  /** `dist/` unless given. */
  readonly directory?: string;
}

export interface Built {
  readonly directory: string;
  readonly renderer: ManifestText["renderer"];
  readonly release: string;
  /** Of JavaScript, without source maps. */
  readonly bytes: number;
}

async function removeOthers(directory: string, wanted: ReadonlySet<string>): Promise<void> {
  const present = await readdir(directory, { recursive: true, withFileTypes: true });
  for (const entry of present) {
    const path = join(entry.parentPath, entry.name);
    if (entry.isFile() && !wanted.has(path) && !path.endsWith(".tmp")) await rm(path, { force: true });
  }
}

/**
 * Makes `dist/`, the code for deployments and for the sandbox. The same sources give the same bytes. It
 * leaves files alone that are right already, so that functions that run from them are not disturbed.
 */
export async function buildFunctions(options: BuildOptions): Promise<Built> {
  const { version = VERSION, directory = DIST } = options;
  // First: it may write the inventory, which is part of the code.
  const manifest = await manifestText(options);
  const [code, installed] = await Promise.all([bundle(version), bundlePackage(version)]);
  const files = new Map<string, Uint8Array | string>([
    ...code,
    ...installed,
    [join("istio", "manifest.json"), manifest.json],
  ]);
  for (const [name, content] of files) await writeIfChanged(join(directory, name), content);
  await removeOthers(directory, new Set([...files.keys()].map((name) => join(directory, name))));
  const scripts = [...code].filter(([name]) => name.endsWith(".js"));
  return {
    directory,
    renderer: manifest.renderer,
    release: manifest.release,
    bytes: scripts.reduce((sum, [, content]) => sum + content.byteLength, 0),
  };
}

function describe({ renderer, release, bytes }: Built): string {
  const size = `${(bytes / 1e6).toFixed(1)} MB`;
  return renderer === "release"
    ? `dist/ is built (${size}) with the charts of Istio ${release}`
    : `dist/ is built (${size}) for the sandbox; to deploy it, build with --release and the istioctl of Istio ${release}`;
}

interface Flags {
  readonly release?: boolean | undefined;
  readonly istioctl?: string | undefined;
}

/** Naming one asks for a release. */
function releaseIstioctlOf({ release = false, istioctl }: Flags): string | undefined {
  const named = istioctl ?? process.env["MESHJOIN_ISTIOCTL"] ?? "";
  if (named !== "") return named;
  if (release) throw new Error("--release needs the istioctl of the pinned release: name it with --istioctl");
  return undefined;
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      /** Refuses every renderer but the istioctl of the pinned release. */
      release: { type: "boolean" },
      istioctl: { type: "string" },
      [UPDATE_FLAG]: { type: "boolean" },
      [UPDATE_MESH_CONFIG_FLAG]: { type: "boolean" },
      /** Where to write the zip for the upload. */
      zip: { type: "string" },
    },
  });
  const releaseIstioctl = releaseIstioctlOf(values);
  const built = await buildFunctions({
    progress: (line) => console.error(line),
    releaseIstioctl,
    updateInventory: values[UPDATE_FLAG],
    updateMeshConfig: values[UPDATE_MESH_CONFIG_FLAG],
  });
  if (values.zip !== undefined) await writeIfChanged(values.zip, await zipDirectory(built.directory));
  console.log(describe(built));
}

if (import.meta.main) {
  await main().catch((error: unknown) => {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  });
}

import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { bundle, bundlePackage } from "./bundle.ts";
import { type ManifestText, manifestText } from "./manifest.ts";
import { DIST } from "./paths.ts";
import { writeIfChanged } from "./write-file.ts";

export interface BuildOptions {
  /** Receives lines for a human. */
  readonly progress: (line: string) => void;
  /** The istioctl of the pinned release; without it the bundle is one for the sandbox. */
  readonly releaseIstioctl?: string;
}

export interface Built {
  readonly directory: string;
  readonly renderer: ManifestText["renderer"];
  readonly release: string;
  /** Of JavaScript, without source maps. */
  readonly bytes: number;
}

async function removeOthers(wanted: ReadonlySet<string>): Promise<void> {
  const present = await readdir(DIST, { recursive: true, withFileTypes: true });
  for (const entry of present) {
    const path = join(entry.parentPath, entry.name);
    if (entry.isFile() && !wanted.has(path) && !path.endsWith(".tmp")) await rm(path, { force: true });
  }
}

/**
 * Makes `dist/`: what is deployed and what the sandbox runs. The same sources give the same bytes, and files that are right
 * already are left alone, so that functions that run from them are not disturbed.
 */
export async function buildFunctions({ progress, releaseIstioctl }: BuildOptions): Promise<Built> {
  const [manifest, code, packageJson] = await Promise.all([
    manifestText(progress, releaseIstioctl),
    bundle(),
    bundlePackage(),
  ]);
  const files = new Map<string, Uint8Array | string>([
    ...code,
    ["package.json", packageJson],
    [join("istio", "manifest.json"), manifest.json],
  ]);
  for (const [name, content] of files) await writeIfChanged(join(DIST, name), content);
  await removeOthers(new Set([...files.keys()].map((name) => join(DIST, name))));
  const scripts = [...code].filter(([name]) => name.endsWith(".js"));
  return {
    directory: DIST,
    renderer: manifest.renderer,
    release: manifest.release,
    bytes: scripts.reduce((sum, [, content]) => sum + content.byteLength, 0),
  };
}

function describe({ renderer, release, bytes }: Built): string {
  const size = `${(bytes / 1e6).toFixed(1)} MB`;
  return renderer === "release"
    ? `dist/ is built (${size}) with the charts of Istio ${release}`
    : `dist/ is built (${size}) for the sandbox; to deploy it, build with --istioctl <istioctl of Istio ${release}>`;
}

async function main(): Promise<void> {
  const { values } = parseArgs({ options: { istioctl: { type: "string" } } });
  const releaseIstioctl = values.istioctl ?? process.env["MESHJOIN_ISTIOCTL"];
  const built = await buildFunctions({
    progress: (line) => console.error(line),
    ...(releaseIstioctl === undefined || releaseIstioctl === "" ? {} : { releaseIstioctl }),
  });
  console.log(describe(built));
}

if (import.meta.main) {
  await main().catch((error: unknown) => {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  });
}

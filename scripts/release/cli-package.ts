import { readFile } from "node:fs/promises";
import { join, relative } from "node:path";
import { build } from "esbuild";
import project from "../../package.json" with { type: "json" };
import { SHARED_OPTIONS, versionOnly } from "../build/bundle.ts";
import { ROOT } from "../paths.ts";

const ENTRY = "bin/meshjoin.js";

/**
 * The command line as a package that npm installs without any other. `bin/` lies beside `dist/`, as `cli/`
 * does in the project, so that it finds Istio's manifest there.
 */
export async function cliPackage(
  version: string,
  manifestJson: string,
): Promise<ReadonlyMap<string, Uint8Array | string>> {
  const { outputFiles } = await build({
    ...SHARED_OPTIONS,
    entryPoints: { meshjoin: "cli/main.ts" },
    outdir: join(ROOT, "bin"),
    plugins: [versionOnly(version)],
  });
  const { description, license, engines } = project;
  const manifest = {
    name: "meshjoin",
    version,
    description,
    license,
    type: "module",
    engines,
    bin: { meshjoin: ENTRY },
  };
  return new Map<string, Uint8Array | string>([
    ...outputFiles.map(({ path, contents }) => [relative(ROOT, path), contents] as const),
    ["package.json", `${JSON.stringify(manifest, null, 2)}\n`],
    ["dist/istio/manifest.json", manifestJson],
    ["LICENSE", await readFile(join(ROOT, "LICENSE"), "utf8")],
  ]);
}

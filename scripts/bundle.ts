import { existsSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { join, relative } from "node:path";
import { build, type OutputFile } from "esbuild";
import { FRAMEWORK } from "./bundle-package.ts";
import { DIST, ROOT } from "./paths.ts";

/** CommonJS dependencies expect these three; an ES module has none of them. */
const COMMONJS_GLOBALS = [
  'import { createRequire as __meshjoinCreateRequire } from "node:module";',
  'import { fileURLToPath as __meshjoinFileUrl } from "node:url";',
  "const require = __meshjoinCreateRequire(import.meta.url);",
  "const __filename = __meshjoinFileUrl(import.meta.url);",
  'const __dirname = __meshjoinFileUrl(new URL(".", import.meta.url));',
].join("");

/** Each file in functions/ is an entry of its own; `index.ts` registers them all. */
async function entryPoints(): Promise<string[]> {
  const folder = join(ROOT, "functions");
  if (!existsSync(join(folder, "index.ts")))
    throw new Error("functions/index.ts is missing: nothing to bundle");
  const files = await readdir(folder);
  return files
    .filter((file) => file.endsWith(".ts"))
    .toSorted()
    .map((file) => join("functions", file));
}

/**
 * Minified ES modules with shared chunks, so that a function loads only what it imports. All in one folder: code finds
 * `istio/manifest.json` beside itself, whichever chunk it landed in. Names of functions and classes are kept, because
 * errors say theirs. The Functions Framework stays outside: the functions must register with the one that serves.
 */
export async function bundle(): Promise<ReadonlyMap<string, Uint8Array>> {
  const { outputFiles } = await build({
    absWorkingDir: ROOT,
    entryPoints: await entryPoints(),
    outdir: DIST,
    outbase: "functions",
    write: false,
    bundle: true,
    splitting: true,
    format: "esm",
    platform: "node",
    target: "node24",
    minify: true,
    keepNames: true,
    sourcemap: "linked",
    sourcesContent: false,
    legalComments: "none",
    chunkNames: "chunk-[hash]",
    banner: { js: COMMONJS_GLOBALS },
    external: [FRAMEWORK],
    logLevel: "warning",
  });
  return new Map(outputFiles.map((file: OutputFile) => [relative(DIST, file.path), file.contents]));
}

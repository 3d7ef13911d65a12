import { existsSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { join, relative } from "node:path";
import { type BuildOptions, build, type OutputFile, type Plugin } from "esbuild";
import { DIST, ROOT } from "../paths.ts";
import { FRAMEWORK } from "./bundle-package.ts";

/** CommonJS dependencies expect these three; an ES module has none of them. */
const COMMONJS_GLOBALS = [
  'import { createRequire as __meshjoinCreateRequire } from "node:module";',
  'import { fileURLToPath as __meshjoinFileUrl } from "node:url";',
  "const require = __meshjoinCreateRequire(import.meta.url);",
  "const __filename = __meshjoinFileUrl(import.meta.url);",
  'const __dirname = __meshjoinFileUrl(new URL(".", import.meta.url));',
].join("");

/** `index.ts` registers every function; beside it each function is an entry of its own name. */
async function entryPoints(): Promise<Record<string, string>> {
  const folders = await readdir(join(ROOT, "functions"));
  const own = folders.toSorted().map((name): [string, string] => [name, `functions/${name}/${name}.ts`]);
  const functions = own.filter(([, file]) => existsSync(join(ROOT, file)));
  return Object.fromEntries([["index", "functions/index.ts"], ...functions]);
}

/** Of package.json a bundle gets nothing but the version, so that no other change there changes it. */
export function versionOnly(version: string): Plugin {
  return {
    name: "version-only",
    setup(built) {
      built.onLoad({ filter: /package\.json$/ }, ({ path }) =>
        path === join(ROOT, "package.json")
          ? { contents: JSON.stringify({ version }), loader: "json" }
          : undefined,
      );
    },
  };
}

/** What functions and command line have in common. */
export const SHARED_OPTIONS = {
  absWorkingDir: ROOT,
  write: false,
  bundle: true,
  splitting: true,
  format: "esm",
  platform: "node",
  target: "node24",
  minify: true,
  keepNames: true,
  legalComments: "none",
  chunkNames: "chunk-[hash]",
  banner: { js: COMMONJS_GLOBALS },
  logLevel: "warning",
} as const satisfies BuildOptions;

/**
 * Minified ES modules with shared chunks, so that a function loads only what it imports. All in one folder:
 * code in any chunk finds `istio/manifest.json` beside itself. Names of functions and classes are kept,
 * because errors say theirs. The Functions Framework stays outside: the functions must register with the one
 * that serves.
 */
export async function bundle(version: string): Promise<ReadonlyMap<string, Uint8Array>> {
  const { outputFiles } = await build({
    ...SHARED_OPTIONS,
    entryPoints: await entryPoints(),
    outdir: DIST,
    sourcemap: "linked",
    sourcesContent: false,
    external: [FRAMEWORK],
    plugins: [versionOnly(version)],
  });
  return new Map(outputFiles.map((file: OutputFile) => [relative(DIST, file.path), file.contents]));
}

import { createHash } from "node:crypto";
import { chmod, mkdtemp, readFile, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { Command } from "commander";
import { VERSION } from "../../shared/version.ts";
import { buildFunctions } from "../build/build.ts";
import { zipDirectory } from "../build/zip.ts";
import { ROOT } from "../paths.ts";
import { archive } from "./archive.ts";
import { billOfMaterials } from "./bill-of-materials.ts";
import { cliPackage } from "./cli-package.ts";
import { releaseNotes } from "./notes.ts";
import { terraformModule } from "./terraform-module.ts";

export interface ReleaseOptions {
  /** Receives lines for a human. */
  readonly progress: (line: string) => void;
  /**
   * The istioctl of the pinned release; without it the release is a snapshot, for the sandbox, and says so in
   * every name.
   */
  readonly releaseIstioctl?: string;
}

/** The published files, by name. The same sources give the same bytes. */
export async function releaseFiles(
  options: ReleaseOptions,
): Promise<ReadonlyMap<string, Uint8Array | string>> {
  const { progress, releaseIstioctl } = options;
  const isSnapshot = releaseIstioctl === undefined;
  const version = isSnapshot ? `${VERSION}-snapshot` : VERSION;
  const changelog = await readFile(join(ROOT, "CHANGELOG.md"), "utf8");
  const directory = await mkdtemp(join(tmpdir(), "meshjoin-release-"));
  try {
    const { release: istio } = await buildFunctions({
      progress,
      version,
      directory,
      ...(isSnapshot ? {} : { releaseIstioctl }),
    });
    const notes = releaseNotes({ changelog, version: VERSION, istio, isSnapshot });
    const manifest = await readFile(join(directory, "istio", "manifest.json"), "utf8");
    return withSums(
      new Map<string, Uint8Array | string>([
        [`meshjoin-functions-${version}.zip`, await zipDirectory(directory)],
        [`meshjoin-${version}.tgz`, await archive(await cliPackage(version, manifest), "package")],
        [`meshjoin-terraform-${version}.tgz`, await archive(await terraformModule(), "terraform")],
        [`meshjoin-${version}.cdx.json`, await billOfMaterials(version)],
        ["NOTES.md", notes],
      ]),
    );
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** As `sha256sum` writes them, and checks them with `--check`. */
function withSums(files: ReadonlyMap<string, Uint8Array | string>): Map<string, Uint8Array | string> {
  const sums = [...files].map(
    ([name, content]) => `${createHash("sha256").update(content).digest("hex")}  ${name}\n`,
  );
  return new Map([...files, ["SHA256SUMS", sums.join("")]]);
}

/** Puts the files into a folder of their own, which is there as a whole or not at all. */
async function writeFolder(folder: string, files: ReadonlyMap<string, Uint8Array | string>): Promise<void> {
  const made = await mkdtemp(join(dirname(folder), `.${basename(folder)}-`));
  try {
    for (const [name, content] of files) await writeFile(join(made, name), content);
    await chmod(made, 0o755);
    await rm(folder, { recursive: true, force: true });
    await rename(made, folder);
  } finally {
    await rm(made, { recursive: true, force: true });
  }
}

interface Flags {
  readonly istioctl?: string | undefined;
  readonly snapshot?: boolean | undefined;
}

function parseFlags(argv: readonly string[]): Flags {
  return new Command()
    .name("npm run release --")
    .description(
      "Makes the folder release: the zip of the functions, the command line, the Terraform modules, checksums, the bill of materials and the notes of the version.",
    )
    .option("--istioctl <path>", "the istioctl of the pinned Istio release; MESHJOIN_ISTIOCTL unless given")
    .option("--snapshot", "a release for the sandbox alone, rendered by its own istioctl")
    .allowExcessArguments(false)
    .parse(argv)
    .opts<Flags>();
}

function releaseIstioctlOf({ istioctl, snapshot = false }: Flags): string | undefined {
  if (snapshot && istioctl !== undefined)
    throw new Error(
      "--snapshot is for the sandbox, whose own istioctl renders: leave one of --snapshot and --istioctl out",
    );
  const named = istioctl ?? process.env["MESHJOIN_ISTIOCTL"] ?? "";
  if (snapshot) return undefined;
  if (named !== "") return named;
  throw new Error(
    "a release needs the istioctl of the pinned release: name it with --istioctl; --snapshot makes one for the sandbox alone",
  );
}

async function main(): Promise<void> {
  const releaseIstioctl = releaseIstioctlOf(parseFlags(process.argv));
  const files = await releaseFiles({
    progress: (line) => console.error(line),
    ...(releaseIstioctl === undefined ? {} : { releaseIstioctl }),
  });
  await writeFolder(join(ROOT, "release"), files);
  for (const [name, content] of files)
    console.log(`release/${name}  ${(Buffer.byteLength(content) / 1e6).toFixed(1)} MB`);
}

if (import.meta.main) {
  await main().catch((error: unknown) => {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  });
}

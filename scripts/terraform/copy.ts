import { cpSync, existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join, relative } from "node:path";

/** By folder below the modules, what is left to the command line. */
const VARIABLES: Readonly<Record<string, readonly string[]>> = {
  "": ["-var=project=shop-prod", "-var=mesh_id=shop", "-var=source_zip=../meshjoin.zip"],
  "examples/single-project": ["-var=project=shop-prod"],
};

/** The modules in a folder that is gone afterwards, with the zip beside it that the README has the build write. */
export async function inCopy<T>(directory: string, work: (copy: string) => Promise<T>): Promise<T> {
  const around = mkdtempSync(join(tmpdir(), "meshjoin-terraform-"));
  const copy = join(around, "terraform");
  try {
    cpSync(directory, copy, { recursive: true, filter: (path) => !ofAnApply(path) });
    writeFileSync(join(around, "meshjoin.zip"), "");
    return await work(copy);
  } finally {
    rmSync(around, { recursive: true, force: true });
  }
}

/** What Terraform leaves where somebody has run it: `.terraform`, and state. */
function ofAnApply(path: string): boolean {
  return /^\.terraform$|\.tfstate/.test(basename(path));
}

/** What Terraform may be run in: the module itself, and its examples. */
export function rootsOf(directory: string): string[] {
  const examples = join(directory, "examples");
  if (!existsSync(examples)) return [directory];
  return [directory, ...readdirSync(examples).map((name) => join(examples, name))];
}

/** Arguments for one of the roots of a copy. */
export function variablesOf(root: string, copy: string): readonly string[] {
  return VARIABLES[relative(copy, root)] ?? [];
}

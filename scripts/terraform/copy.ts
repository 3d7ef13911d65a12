import { cpSync, existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join, relative } from "node:path";

/** By folder below the modules: the variables that are left to the command line. */
const VARIABLES: Readonly<Record<string, readonly string[]>> = {
  "": ["-var=project=shop-prod", "-var=mesh_id=shop", "-var=source_zip=../meshjoin.zip"],
  "examples/global-ingress": [
    "-var=project=shop-prod",
    `-var=members=${JSON.stringify({
      checkout: { project: "shop-prod", group: "meshjoin-ingress-checkout", zones: ["europe-west1-b"] },
      search: { project: "shop-prod", group: "meshjoin-ingress-search", zones: ["us-east1-b", "us-east1-c"] },
    })}`,
    `-var=networks=${JSON.stringify({ shop: { project: "shop-prod", network: "default" } })}`,
    `-var=domains=${JSON.stringify(["shop.example.com"])}`,
  ],
  "examples/single-project": ["-var=project=shop-prod", `-var=pod_ranges=${JSON.stringify(["10.4.0.0/14"])}`],
};

/** https://developer.hashicorp.com/terraform/language/files/override */
const OF_A_DEPLOYMENT = /^\.terraform$|\.tfstate|^(?:.*_)?override\.tf(?:\.json)?$|\.tfvars(?:\.json)?$/;

/**
 * The modules in a folder that is gone afterwards, with the zip beside it that the README has the build
 * write.
 */
export async function inCopy<T>(directory: string, work: (copy: string) => Promise<T>): Promise<T> {
  const around = mkdtempSync(join(tmpdir(), "meshjoin-terraform-"));
  const copy = join(around, "terraform");
  try {
    copyModules(directory, copy);
    writeFileSync(join(around, "meshjoin.zip"), "");
    return await work(copy);
  } finally {
    rmSync(around, { recursive: true, force: true });
  }
}

/**
 * The modules as the repository has them. The files of a person who deploys from here stay behind: a copy
 * with their backend, state or variables would be another deployment, or even write to theirs.
 */
export function copyModules(from: string, to: string): void {
  cpSync(from, to, { recursive: true, filter: (path) => !OF_A_DEPLOYMENT.test(basename(path)) });
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

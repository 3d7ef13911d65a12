import { cpSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Finished, run } from "../run.ts";
import { writeRehearsal } from "./rehearsal.ts";
import type { Schema } from "./schema.ts";

/** What became of one step of a check: it may be that it cannot be done here. */
export type Step =
  | { readonly name: string; readonly faults: readonly string[] }
  | { readonly name: string; readonly notRun: string };

/** The registry is asked once and not for long: where it cannot be reached, every check would wait for it. */
const ENVIRONMENT = {
  CHECKPOINT_DISABLE: "1",
  TF_IN_AUTOMATION: "1",
  TF_CLI_ARGS: "-no-color",
  TF_REGISTRY_CLIENT_TIMEOUT: "10",
  TF_REGISTRY_DISCOVERY_RETRY: "0",
};
const UNREACHABLE =
  /Failed to query available provider packages|could not connect to|Failed to install provider/;

/** Undefined where there is no terraform. */
async function terraform(args: readonly string[]): Promise<Finished | undefined> {
  try {
    return await run("terraform", args, { env: { ...process.env, ...ENVIRONMENT } });
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw error;
  }
}

const NO_TERRAFORM = "there is no terraform on PATH";

export async function formatted(directory: string): Promise<Step> {
  const name = "terraform fmt";
  const finished = await terraform(["fmt", "-check", "-recursive", directory]);
  if (finished === undefined) return { name, notRun: NO_TERRAFORM };
  const files = finished.output.split("\n").filter((line) => line.endsWith(".tf") || line.endsWith(".hcl"));
  if (finished.code === 0) return { name, faults: [] };
  return {
    name,
    faults: files.map((file) => `${file}: not formatted; run terraform fmt -recursive terraform`),
  };
}

/** `terraform validate` and `terraform test` with the real provider. */
export async function withProvider(directory: string): Promise<Step[]> {
  return await inCopy(
    async (copy) => cpSync(directory, copy, { recursive: true }),
    ["terraform validate", "terraform test"],
  );
}

/** The same with stand-ins for all that is of the provider: what Terraform itself makes of variables, expressions and modules. */
export async function withStandIns(directory: string, schema: Schema): Promise<Step[]> {
  return await inCopy(
    async (copy) => await writeRehearsal(directory, copy, schema),
    ["terraform validate, on stand-ins", "terraform test, on stand-ins"],
  );
}

/** Neither leaves anything behind in the folder itself. */
async function inCopy(
  write: (copy: string) => Promise<void>,
  [validate, test]: readonly [string, string],
): Promise<Step[]> {
  const copy = mkdtempSync(join(tmpdir(), "meshjoin-terraform-"));
  try {
    await write(copy);
    const validated: Step[] = [];
    for (const root of [copy, ...foldersOf(join(copy, "examples"))]) {
      const initialised = await initialise(root);
      if (initialised !== undefined) return [validate, test].map((name) => ({ name, ...initialised }));
      validated.push(await step(validate, root, ["validate"]));
    }
    return [merged(validate, validated), await step(test, copy, ["test"])];
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
}

function merged(name: string, steps: readonly Step[]): Step {
  return { name, faults: steps.flatMap((each) => ("faults" in each ? each.faults : [])) };
}

async function initialise(root: string): Promise<{ notRun: string } | { faults: string[] } | undefined> {
  const finished = await terraform([`-chdir=${root}`, "init", "-backend=false", "-input=false"]);
  if (finished === undefined) return { notRun: NO_TERRAFORM };
  if (finished.code === 0) return undefined;
  return UNREACHABLE.test(finished.output)
    ? { notRun: "the provider registry cannot be reached" }
    : { faults: [finished.output.trim()] };
}

async function step(name: string, root: string, args: readonly string[]): Promise<Step> {
  const finished = await terraform([`-chdir=${root}`, ...args]);
  if (finished === undefined) return { name, notRun: NO_TERRAFORM };
  return { name, faults: finished.code === 0 ? [] : [finished.output.trim()] };
}

function foldersOf(directory: string): string[] {
  return readdirSync(directory, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => join(directory, name));
}

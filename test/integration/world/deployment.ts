import { cp, mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { FleetFile } from "../../../sandbox/fleet-file.ts";
import { ROOT } from "../../../scripts/paths.ts";
import { run } from "../../../scripts/run.ts";
import { writeRehearsal } from "../../../scripts/terraform/rehearsal.ts";
import { readSchema } from "../../../scripts/terraform/schema.ts";

/**
 * The Terraform files applied by Terraform itself, with stand-ins of all resources: what is left of them is a state whose outputs
 * are those of a real deployment for these settings (`MESHJOIN_*` without that).
 */
export async function deploy(
  dir: string,
  { project, meshId }: Pick<FleetFile, "project" | "meshId">,
  settings: Readonly<Record<string, string>>,
): Promise<void> {
  await mkdir(dir, { recursive: true });
  await writeRehearsal(join(ROOT, "terraform"), dir, readSchema());
  await cp(join(ROOT, "terraform", "tests", "source.zip"), join(dir, "source.zip"));
  const variables = {
    project,
    mesh_id: meshId,
    source_zip: "source.zip",
    settings: JSON.stringify(settings),
  };
  const set = Object.entries(variables).flatMap(([name, value]) => ["-var", `${name}=${value}`]);
  const env = { ...process.env, CHECKPOINT_DISABLE: "1", TF_IN_AUTOMATION: "1" };
  for (const args of [["init"], ["apply", "-auto-approve", ...set]]) {
    const all = [`-chdir=${dir}`, ...args, "-input=false", "-no-color"];
    const { code, output } = await run("terraform", all, { env });
    if (code !== 0) throw new Error(output);
  }
}

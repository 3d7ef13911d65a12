import { join } from "node:path";
import type { FleetFile } from "../../../sandbox/fleet/fleet-file.ts";
import { ROOT } from "../../../scripts/paths.ts";
import { copyModules } from "../../../scripts/terraform/copy.ts";
import { readSchema } from "../../../scripts/terraform/schema.ts";
import { withStandIn } from "../../../scripts/terraform/stand-in/provider.ts";
import { terraform } from "../../../scripts/terraform/tool.ts";

/**
 * Applies the Terraform files with the stand-in of the provider. That leaves a state whose outputs are those
 * of a real deployment for these settings (`MESHJOIN_*` without that).
 */
export async function deploy(
  dir: string,
  { project, meshId }: Pick<FleetFile, "project" | "meshId">,
  settings: Readonly<Record<string, string>>,
): Promise<void> {
  copyModules(join(ROOT, "terraform"), dir);
  const variables = {
    project,
    mesh_id: meshId,
    source_zip: "tests/source.zip",
    settings: JSON.stringify(settings),
  };
  const set = Object.entries(variables).map(([name, value]) => `-var=${name}=${value}`);
  await withStandIn(readSchema(), async (environment) => {
    for (const args of [
      ["init", "-backend=false"],
      ["apply", "-auto-approve", ...set],
    ]) {
      const finished = await terraform([`-chdir=${dir}`, ...args], environment);
      if (finished?.code !== 0) throw new Error(finished?.output ?? "there is no terraform");
    }
  });
}

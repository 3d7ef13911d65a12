import { rmSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "@jest/globals";
import { ROOT } from "../../../scripts/paths.ts";
import { run } from "../../../scripts/run.ts";
import { copyModules } from "../../../scripts/terraform/copy.ts";
import { hasTerraform, inFolder, withoutTerraform, withTrial } from "./trial.ts";

/** The last commit whose `terraform/` was that of version 0.1.0. */
const OF_0_1 = "4cc4d419e6f69c75b218f6ba424c16c6590b836d";

const SAME = [
  "-var=project=shop-prod",
  "-var=mesh_id=shop",
  "-var=source_zip=tests/source.zip",
  '-var=member_projects=["shop-prod","pay-prod"]',
  '-var=sync_invokers=["group:mesh@example.com"]',
  '-var=root_secret={locations=["europe-west1"]}',
];
const FIREWALL_0_1 =
  '-var=firewall={project="shop-net",network="prod",pod_ranges=["10.4.0.0/14"],control_plane_ranges=["172.16.0.0/28"]}';
const FIREWALL =
  '-var=firewall={pod_ranges=["10.4.0.0/14"],networks={this={project="shop-net",network="prod",control_plane_ranges=["172.16.0.0/28"]}}}';

async function modulesOf01(directory: string): Promise<void> {
  const git = async (...args: readonly string[]) => await run("git", ["-C", ROOT, ...args]);
  const archive = join(directory, "of-0.1.tar");
  const archived = async () => await git("archive", `--output=${archive}`, OF_0_1, "terraform");
  // A shallow clone has not got it, and may fetch it.
  if ((await archived()).code !== 0) await git("fetch", "--depth=1", "origin", OF_0_1);
  const { code, output } = await archived();
  if (code !== 0)
    throw new Error(
      `commit ${OF_0_1}, version 0.1.0, is not in this clone (git fetch --unshallow): ${output}`,
    );
  await run("tar", ["xf", archive, "-C", directory]);
}

/** A deployment of 0.1 in a folder, its state beside today's modules; `change` plants a fault in them. */
async function upgraded<T>(work: Parameters<typeof withTrial<T>>[1], change = (_: string) => {}): Promise<T> {
  return await inFolder(async (directory) => {
    await modulesOf01(directory);
    const deployment = join(directory, "terraform");
    await withTrial(
      deployment,
      async ({ done }) => await done("apply", "-auto-approve", ...SAME, FIREWALL_0_1),
      { age: "oldest", arrivesAtOnce: true },
    );
    for (const folder of ["modules", "examples", "tests"])
      rmSync(join(deployment, folder), { recursive: true });
    copyModules(join(ROOT, "terraform"), deployment);
    change(deployment);
    return await withTrial(deployment, work);
  });
}

describe("a deployment of 0.1.0", () => {
  if (!hasTerraform) {
    withoutTerraform();
    return;
  }

  it("was not made by one apply: it used APIs that were just enabled", async () => {
    await inFolder(async (directory) => {
      await modulesOf01(directory);
      await withTrial(join(directory, "terraform"), async ({ refusal }) => {
        await expect(refusal("apply", "-auto-approve", ...SAME)).resolves.toContain(
          "has not been used in project",
        );
      });
    });
  });

  it("is upgraded by one apply that destroys nothing, and keeps each object that there is", async () => {
    await upgraded(async ({ done, changes, ids }) => {
      const before = await ids();
      const planned = Object.values(await changes(...SAME, FIREWALL));
      expect(planned.filter((actions) => actions.includes("delete"))).toEqual([]);

      await done("apply", "-auto-approve", ...SAME, FIREWALL);

      const after = await ids();
      const held =
        /google_(?:secret_manager_secret|pubsub_topic|pubsub_subscription|service_account|project_iam_custom_role|cloudfunctions2_function|compute_firewall)[.]/;
      const kept = Object.entries(before).filter(([address]) => held.test(address));
      expect(kept.length).toBeGreaterThan(20);
      expect(after).toMatchObject(Object.fromEntries(kept));
      expect(
        Object.keys(after).filter((address) => /invoker\["group:mesh@example[.]com"\]/.test(address)),
      ).toHaveLength(1);
      expect(await changes(...SAME, FIREWALL)).toEqual({});
    });
  });

  it("would lose its invokers for a while if nothing said where they have gone", async () => {
    await upgraded(
      async ({ changes }) => {
        const planned = Object.entries(await changes(...SAME, FIREWALL));
        expect(planned.filter(([, actions]) => actions === "delete").length).toBeGreaterThan(5);
      },
      (deployment) => rmSync(join(deployment, "modules/functions/moved.tf")),
    );
  });

  it("is refused with the inputs of 0.1.0, and told those that take their place", async () => {
    await upgraded(async ({ refusal }) => {
      expect(await refusal("plan", ...SAME, FIREWALL_0_1)).toContain("use firewall.networks = { this = {");
      const connector = "projects/shop-prod/locations/europe-west1/connectors/mesh";
      expect(
        await refusal("plan", ...SAME, FIREWALL, `-var=vpc_egress={connector="${connector}"}`),
      ).toContain("vpc_egress.connector is gone: use vpc_egress.network and vpc_egress.subnetwork");
    });
  });
});

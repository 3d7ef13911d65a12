import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "@jest/globals";
import { ROOT } from "../../../scripts/paths.ts";
import { inCopy, variablesOf } from "../../../scripts/terraform/copy.ts";
import { hasTerraform, withoutTerraform, withTrial } from "./trial.ts";

const TERRAFORM = join(ROOT, "terraform");

/** The waits in a file end at once. */
function withoutWait(file: string): void {
  const before = readFileSync(file, "utf8");
  const after = before.replaceAll(/create_duration = "\d+s"/g, 'create_duration = "0s"');
  if (after === before) throw new Error(`${file} waits for nothing`);
  writeFileSync(file, after);
}

describe("the first apply", () => {
  if (!hasTerraform) {
    withoutTerraform();
    return;
  }

  // Each wait that comes after the planted one would hide that it is missing: they are made together.
  it.each<[string, readonly string[], string]>([
    [
      "an API was enabled",
      ["main.tf", "modules/functions/main.tf", "modules/pki/main.tf"],
      "has not been used in project shop-prod before",
    ],
    [
      "the builder was granted its roles",
      ["modules/functions/main.tf", "modules/pki/main.tf"],
      "meshjoin-builder@shop-prod.iam.gserviceaccount.com does not have the permission",
    ],
    [
      "Secret Manager's agent was let publish",
      ["modules/functions/main.tf", "modules/pki/main.tf"],
      "gcp-sa-secretmanager.iam.gserviceaccount.com does not have the permission",
    ],
  ])("is refused without the wait after %s", async (_, files, complaint) => {
    await inCopy(TERRAFORM, async (copy) => {
      for (const file of files) withoutWait(join(copy, file));
      await withTrial(copy, async ({ refusal }) => {
        expect(await refusal("apply", "-auto-approve", ...variablesOf(copy, copy))).toContain(complaint);
      });
    });
  });
});

describe("a rule of the firewall", () => {
  if (!hasTerraform) {
    withoutTerraform();
    return;
  }

  it.each(["pods", "webhooks"])("(%s) is refused where it does not wait for Compute Engine", async (rule) => {
    await inCopy(TERRAFORM, async (copy) => {
      const file = join(copy, "firewall.tf");
      const [head = "", ...rules] = readFileSync(file, "utf8").split(/^(?=resource )/m);
      const planted = rules.map((each) =>
        each.startsWith(`resource "google_compute_firewall" "${rule}"`)
          ? each.replace("depends_on = [time_sleep.services]", "")
          : each,
      );
      expect(planted).not.toEqual(rules);
      writeFileSync(file, [head, ...planted].join(""));
      const network = '{project="shop-prod",network="prod",control_plane_ranges=["172.16.0.0/28"]}';
      const firewall = `-var=firewall={pod_ranges=["10.4.0.0/14"],networks={prod=${network}}}`;
      await withTrial(copy, async ({ refusal }) => {
        expect(await refusal("apply", "-auto-approve", ...variablesOf(copy, copy), firewall)).toContain(
          "compute.googleapis.com has not been used in project shop-prod before",
        );
      });
    });
  });
});

describe("Eventarc's triggers, where a deployment takes them later", () => {
  if (!hasTerraform) {
    withoutTerraform();
    return;
  }

  it.each([
    ["are refused without the wait after Eventarc was enabled", false],
    ["are made after that wait", true],
  ])("%s", async (_, waits) => {
    await inCopy(TERRAFORM, async (copy) => {
      const example = join(copy, "examples", "eventarc");
      await withTrial(example, async ({ done, refusal }) => {
        await done("apply", "-auto-approve", "-target=module.meshjoin");
        if (waits) {
          await done("apply", "-auto-approve");
          return;
        }
        withoutWait(join(example, "main.tf"));
        expect(await refusal("apply", "-auto-approve")).toContain("Eventarc Service Agent");
      });
    });
  });
});

describe("a deployment", () => {
  if (!hasTerraform) {
    withoutTerraform();
    return;
  }

  it("waits again only for what is new, and gives a function that is made anew its invokers", async () => {
    await inCopy(TERRAFORM, async (copy) => {
      const variables = variablesOf(copy, copy);
      await withTrial(copy, async ({ done, changes }) => {
        await done("apply", "-auto-approve", ...variables);
        expect(await changes(...variables)).toEqual({});

        const another = await changes(...variables, '-var=member_projects=["shop-prod","pay-prod"]');
        const waits = Object.entries(another).filter(([address]) => address.includes("time_sleep"));
        expect(waits).toEqual([["time_sleep.services", "delete, create"]]);

        const anew = 'module.functions.module.function["sync-mesh"].google_cloudfunctions2_function.this';
        expect(await changes(...variables, `-replace=${anew}`)).toMatchObject({
          [anew]: "delete, create",
          'module.functions.module.function["sync-mesh"].google_cloud_run_v2_service_iam_member.invoker["scheduler"]':
            "delete, create",
        });
      });
    });
  });

  it("sets no policy of a bucket that it was told is of others, and one of any other", async () => {
    await inCopy(TERRAFORM, async (copy) => {
      const variables = variablesOf(copy, copy).filter((each) => !each.includes("source_zip"));
      const planned = async (grant: string) =>
        await withTrial(copy, async ({ changes }) =>
          Object.keys(
            await changes(...variables, `-var=source_object={bucket="releases",name="a.zip"${grant}}`),
          ).filter((address) => address.includes("google_storage")),
        );
      expect(await planned(",grant=false")).toEqual([]);
      expect(await planned("")).toEqual(["module.functions.google_storage_bucket_iam_member.builder[0]"]);
    });
  });
});

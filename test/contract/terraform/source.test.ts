import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "@jest/globals";
import { ROOT } from "../../../scripts/paths.ts";
import { run } from "../../../scripts/run.ts";
import { copyModules } from "../../../scripts/terraform/copy.ts";
import { hasTerraform, inFolder, withoutTerraform, withTrial } from "./trial.ts";

const configuration = (repository: string) => `
provider "google" {
  project = "shop-prod"
}

module "meshjoin" {
  source = "git::file://${repository}//terraform?ref=v9.9.9"

  project       = "shop-prod"
  mesh_id       = "shop"
  source_object = { bucket = "releases", name = "meshjoin.zip", grant = false }
}

output "function_urls" {
  description = "Address of each function."
  value       = module.meshjoin.function_urls
}
`;

/** The modules alone, as a release of a repository that holds nothing else. */
async function published(repository: string): Promise<void> {
  copyModules(join(ROOT, "terraform"), join(repository, "terraform"));
  const author = ["-c", "user.name=Meshjoin", "-c", "user.email=meshjoin@example.com"];
  for (const args of [
    ["init", "--quiet"],
    ["add", "--all"],
    [...author, "commit", "--quiet", "--no-gpg-sign", "--message=release"],
    ["tag", "v9.9.9"],
  ]) {
    const { code, output } = await run("git", ["-C", repository, ...args]);
    if (code !== 0) throw new Error(output);
  }
}

describe("the root module", () => {
  if (!hasTerraform) {
    withoutTerraform();
    return;
  }

  it("is taken from a tag of a git repository, with nothing beside it", async () => {
    await inFolder(async (directory) => {
      const repository = join(directory, "repository");
      const deployment = join(directory, "deployment");
      mkdirSync(repository);
      mkdirSync(deployment);
      await published(repository);
      writeFileSync(join(deployment, "main.tf"), configuration(repository));
      await withTrial(deployment, async ({ done, changes, ids }) => {
        await done("apply", "-auto-approve");
        expect(Object.keys(await ids())).toContain(
          "module.meshjoin.module.pki.google_secret_manager_secret.root",
        );
        expect(await changes()).toEqual({});
      });
    });
  });
});

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { ROOT } from "../../../scripts/paths.ts";
import { inCopy, variablesOf } from "../../../scripts/terraform/copy.ts";
import { readSchema } from "../../../scripts/terraform/schema.ts";
import { withStandIn } from "../../../scripts/terraform/stand-in/provider.ts";
import { terraform } from "../../../scripts/terraform/tool.ts";
import { hasTerraform, withoutTerraform } from "./trial.ts";

async function runIn(
  directory: string,
  ...commands: readonly (readonly string[])[]
): Promise<{ code: number; output: string }[]> {
  return await withStandIn(readSchema(), async (environment) => {
    const finished: { code: number; output: string }[] = [];
    for (const args of [["init", "-backend=false"], ...commands]) {
      const { code, output } = (await terraform([`-chdir=${directory}`, ...args], environment)) ?? {
        code: 127,
        output: "",
      };
      // Terraform breaks lines where it likes, and draws a frame around errors.
      finished.push({ code, output: output.replaceAll(/[│\s]+/g, " ") });
    }
    return finished;
  });
}

describe("Terraform itself, on a stand-in of the provider", () => {
  if (!hasTerraform) {
    withoutTerraform();
    return;
  }
  let directory: string;
  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), "meshjoin-stand-in-"));
  });
  afterAll(() => rmSync(directory, { recursive: true, force: true }));

  const topic = (body: string) => `resource "google_pubsub_topic" "it" {\n${body}\n}\n`;

  it.each<[string, string, string]>([
    ["a misspelt attribute", topic('nmae = "a"'), 'An argument named "nmae" is not expected here'],
    ["a required one that is missing", topic('project = "p"'), 'The argument "name" is required'],
    [
      "a reference to what no topic has",
      `${topic('name = "a"')}output "o" {\n  value = google_pubsub_topic.it.nam\n}\n`,
      'This object has no argument, nested block, or exported attribute named "nam"',
    ],
    ["a list in place of a word", topic('name = ["a"]'), "string required"],
    ["labels that are no map", topic('name = "a"\nlabels = "b"'), "map of string required"],
    [
      "two blocks where there may be one",
      topic(
        'name = "a"\nmessage_storage_policy {\nallowed_persistence_regions = []\n}\n'
          .repeat(2)
          .replace(/\nname = "a"/, ""),
      ),
      'No more than 1 "message_storage_policy" blocks are allowed',
    ],
    [
      "a type that there is not",
      'resource "google_pubsub_topik" "it" {}\n',
      "does not support resource type",
    ],
  ])("refuses %s", async (_, text, complaint) => {
    writeFileSync(join(directory, "main.tf"), text);
    const [, validated] = await runIn(directory, ["validate"]);
    expect(validated).toEqual({ code: 1, output: expect.stringContaining(complaint) });
  });

  it("plans as unknown what the provider decides, and knows it once applied", async () => {
    writeFileSync(
      join(directory, "main.tf"),
      `${topic('project = "p"\nname = "a"')}output "id" {\n  value = google_pubsub_topic.it.id\n}\n`,
    );
    const [, planned, applied, again] = await runIn(
      directory,
      ["plan"],
      ["apply", "-auto-approve"],
      ["plan", "-detailed-exitcode"],
    );
    expect(planned?.output).toContain("+ id = (known after apply)");
    expect(applied?.output).toContain('id = "projects/p/topics/a"');
    expect(again).toEqual({ code: 0, output: expect.stringContaining("No changes.") });
  });
});

describe("the removal in docs/deploy.md", () => {
  if (!hasTerraform) {
    withoutTerraform();
    return;
  }
  const [command, forget] =
    /^terraform -chdir=terraform state rm (?<address>\S+)/m.exec(
      readFileSync(join(ROOT, "docs", "deploy.md"), "utf8"),
    ) ?? [];

  it("is refused while the root secret is Terraform's, and leaves nothing else", async () => {
    expect(command).toBeDefined();
    await inCopy(join(ROOT, "terraform"), async (copy) => {
      const variables = variablesOf(copy, copy);
      const destroy = ["destroy", "-auto-approve", ...variables];
      const [, applied, refused, forgotten, destroyed, left] = await runIn(
        copy,
        ["apply", "-auto-approve", ...variables],
        destroy,
        ["state", "rm", forget ?? ""],
        destroy,
        ["state", "list"],
      );
      expect(applied?.code).toBe(0);
      expect(refused).toEqual({ code: 1, output: expect.stringContaining("lifecycle.prevent_destroy set") });
      expect(forgotten?.code).toBe(0);
      expect(destroyed).toEqual({ code: 0, output: expect.stringContaining("Destroy complete!") });
      expect(left?.code).toBe(0);
      expect(left?.output).not.toContain("google_");
    });
  });
});

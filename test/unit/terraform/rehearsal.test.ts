import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { ROOT } from "../../../scripts/paths.ts";
import { expressionOf } from "../../../scripts/terraform/expression.ts";
import { writeRehearsal } from "../../../scripts/terraform/rehearsal.ts";
import { readSchema } from "../../../scripts/terraform/schema.ts";
import { interpolations } from "../../../scripts/terraform/template.ts";

describe("the expressions in a template", () => {
  it.each<[string, string[]]>([
    ["none", []],
    ["a-${var.b}-${local.c}", ["${var.b}", "${local.c}"]],
    ['${join(",", ["}"])}x', ['${join(",", ["}"])}']],
    ['${{ for k in var.l : "a${k}" => {} }}', ['${{ for k in var.l : "a${k}" => {} }}']],
    ['say "${var.a["b"]}"', ['${var.a["b"]}']],
    ["$${not}", []],
  ])("%s", (text, expected) => {
    expect(interpolations(text)).toEqual(expected);
  });
});

describe("a value as an expression", () => {
  it.each<[unknown, string]>([
    [null, "null"],
    [3, "3"],
    ['a "b"', '"a \\"b\\""'],
    ["${var.a}", "(var.a)"],
    ['"${var.a}"\n', '"\\"${var.a}\\"\\n"'],
    [["a", { b: "${each.key}" }], '["a", { "b" = (each.key) }]'],
  ])("%j", (value, expected) => {
    expect(expressionOf(value)).toBe(expected);
  });
});

describe("a rehearsal", () => {
  let copy: string;
  beforeAll(async () => {
    copy = mkdtempSync(join(tmpdir(), "meshjoin-rehearsal-"));
    await writeRehearsal(join(ROOT, "terraform"), copy, readSchema());
  });
  afterAll(() => rmSync(copy, { recursive: true, force: true }));

  const written = (path: string) => readFileSync(join(copy, path), "utf8");

  it("has a stand-in for each resource, and no provider", () => {
    const { resource, locals } = JSON.parse(written("modules/pki/main.tf.json"));
    expect(Object.keys(resource)).toEqual(["terraform_data"]);
    expect(Object.keys(resource.terraform_data)).toContain("resource__google_secret_manager_secret__root");
    expect(locals["resource__google_secret_manager_secret__root"]).toBe(
      "${terraform_data.resource__google_secret_manager_secret__root.output}",
    );
  });

  it("unrolls dynamic blocks", () => {
    const { resource } = JSON.parse(written("modules/observability/main.tf.json"));
    const { input } = resource.terraform_data["resource__google_logging_metric__this"];
    expect(input.metric_descriptor[0].labels).toMatch(
      /^\$\{\[for labels_key, labels_value in \(each\.value\.labels\)/,
    );
  });

  it("runs the same tests, without their mock of the provider", () => {
    expect(written("tests/defaults.tftest.hcl")).not.toContain("mock_");
    expect(written("tests/defaults.tftest.hcl")).toContain('run "deploys_with_three_variables"');
  });
});

import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, expect, it } from "@jest/globals";
import { copyModules } from "../../../scripts/terraform/copy.ts";

const MODULES = [
  ".terraform.lock.hcl",
  "examples/single-project/main.tf",
  "main.tf",
  "overrides.tf",
  "tests/defaults.tftest.hcl",
  "tests/source.zip",
];
const OF_A_DEPLOYMENT = [
  ".terraform/terraform.tfstate",
  "backend_override.tf",
  "examples/single-project/terraform.tfvars",
  "override.tf",
  "override.tf.json",
  "prod.auto.tfvars",
  "prod.auto.tfvars.json",
  "prod_override.tf.json",
  "terraform.tfstate",
  "terraform.tfstate.1700000000.backup",
  "terraform.tfstate.backup",
  "terraform.tfstate.d/prod/terraform.tfstate",
  "terraform.tfvars",
];

let around: string;

beforeEach(() => {
  around = mkdtempSync(join(tmpdir(), "meshjoin-copy-"));
});
afterEach(() => rmSync(around, { recursive: true, force: true }));

it("copies the modules, and nothing that belongs to somebody's deployment of them", () => {
  const from = join(around, "from");
  const to = join(around, "to");
  for (const path of [...MODULES, ...OF_A_DEPLOYMENT]) {
    mkdirSync(join(from, dirname(path)), { recursive: true });
    writeFileSync(join(from, path), "");
  }

  copyModules(from, to);

  const copied = readdirSync(to, { recursive: true, encoding: "utf8" });
  expect(copied.toSorted()).toEqual([...MODULES, "examples", "examples/single-project", "tests"].toSorted());
});

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "@jest/globals";
import { ROOT } from "../../../scripts/paths.ts";
import { inCopy } from "../../../scripts/terraform/copy.ts";
import { hasTerraform, withoutTerraform, withTrial } from "./trial.ts";

const TERRAFORM = join(ROOT, "terraform");
const SECRET = "modules/pki/main.tf";
const FUNCTION = "modules/functions/function/main.tf";
const TRANSPORT = "modules/triggers/transport.tf";

function change(copy: string, file: string, from: string, to: string): void {
  const path = join(copy, file);
  const before = readFileSync(path, "utf8");
  if (!before.includes(from)) throw new Error(`${file} does not hold ${from}`);
  writeFileSync(
    path,
    before.replace(from, () => to),
  );
}

describe("terraform/, as Terraform itself reads it", () => {
  if (!hasTerraform) {
    withoutTerraform();
    return;
  }

  it("may not name what the oldest provider that is allowed does not have yet", async () => {
    await inCopy(TERRAFORM, async (copy) => {
      change(
        copy,
        SECRET,
        "  version_destroy_ttl =",
        '  deletion_policy = "PREVENT"\n  version_destroy_ttl =',
      );
      await withTrial(copy, async ({ done }) => await done("validate"), { age: "newest" });
      const refusal = await withTrial(copy, async (trial) => await trial.refusal("validate"), {
        age: "oldest",
      });
      expect(refusal).toContain('An argument named "deletion_policy" is not expected here');
    });
  });

  it.each<[string, string, string, string, string]>([
    [
      "a misspelt attribute",
      SECRET,
      "version_destroy_ttl =",
      "version_destory_ttl =",
      'An argument named "version_destory_ttl" is not expected here',
    ],
    [
      "a misspelt attribute of a nested block",
      FUNCTION,
      "max_instance_request_concurrency =",
      "max_instance_request_concurency =",
      'An argument named "max_instance_request_concurency" is not expected here',
    ],
    [
      "a misspelt attribute in a dynamic block",
      "modules/observability/alerts.tf",
      "threshold_value    = cond",
      "treshold_value    = cond",
      'An argument named "treshold_value" is not expected here',
    ],
    [
      "a missing attribute",
      TRANSPORT,
      "  topic   = google_pubsub_topic.this[each.key].id\n",
      "",
      'The argument "topic" is required, but no definition was found',
    ],
    [
      "a missing attribute of a nested block",
      TRANSPORT,
      '      service_account_email = var.accounts["push"]\n',
      "",
      'The argument "service_account_email" is required, but no definition was found',
    ],
    [
      "a block that is none",
      FUNCTION,
      "  build_config {",
      "  build_configuration {",
      'Blocks of type "build_configuration" are not expected here',
    ],
    [
      "a block in the wrong place",
      TRANSPORT,
      "  retry_policy {",
      "  push_policy {\n  }\n  retry_policy {",
      'Blocks of type "push_policy" are not expected here',
    ],
    [
      "a block that is written as an attribute",
      TRANSPORT,
      '  expiration_policy {\n    ttl = ""\n  }',
      '  expiration_policy = { ttl = "" }',
      'Did you mean to define a block of type "expiration_policy"?',
    ],
    [
      "a second block where there can be one",
      TRANSPORT,
      "  retry_policy {",
      "  retry_policy {\n  }\n  retry_policy {",
      'No more than 1 "retry_policy" blocks are allowed',
    ],
    [
      "an attribute that the provider decides",
      "modules/triggers/sinks.tf",
      "  unique_writer_identity = true",
      '  writer_identity = "x"',
      'Can\'t configure a value for "writer_identity"',
    ],
    [
      "a list where there is one value",
      SECRET,
      "  labels              = var.labels",
      '  labels              = ["mesh"]',
      'Inappropriate value for attribute "labels": map of string required',
    ],
    [
      "an attribute to be ignored that there is not",
      SECRET,
      "[version_aliases, ",
      "[version_alias, ",
      'This object has no argument, nested block, or exported attribute named "version_alias"',
    ],
    [
      "a type of resource that there is not",
      SECRET,
      '"google_secret_manager_secret" "root"',
      '"google_secretmanager_secret" "root"',
      'does not support resource type "google_secretmanager_secret"',
    ],
    [
      "a reference to a variable that there is not",
      SECRET,
      "var.mesh_id",
      "var.meshid",
      'An input variable with the name "meshid" has not been declared',
    ],
    [
      "a reference to an attribute that there is not",
      "modules/functions/function/outputs.tf",
      ".uri",
      ".url",
      'This object has no argument, nested block, or exported attribute named "url"',
    ],
    [
      "a reference to a resource that there is not",
      "modules/pki/outputs.tf",
      "secret.root.id",
      "secret.roots.id",
      'A managed resource "google_secret_manager_secret" "roots" has not been declared',
    ],
    [
      "a reference to one of many without saying which",
      "modules/identity/outputs.tf",
      'google_service_account.this["builder"].id',
      "google_service_account.this.id",
      "Missing resource instance key",
    ],
    [
      "an index on what there is one of",
      "modules/pki/outputs.tf",
      "secret.root.id",
      "secret.root[0].id",
      "Unexpected resource instance key",
    ],
    [
      "a reference to an output that there is not",
      "outputs.tf",
      "module.pki.root_secret",
      "module.pki.rootsecret",
      'This object does not have an attribute named "rootsecret"',
    ],
    [
      "each where there is no for_each",
      SECRET,
      'secret_id           = "${var.mesh_id}-root-ca"',
      "secret_id           = each.key",
      'Reference to "each" in context without for_each',
    ],
    [
      "a local value that there is not",
      "modules/triggers/sinks.tf",
      "local.audit_filter",
      "local.audit_filters",
      'A local value with the name "audit_filters" has not been declared',
    ],
    [
      "a local value that there is not, in what is done for each",
      "modules/observability/alerts.tf",
      "        local.series[condition.metric],",
      "        local.serie[condition.metric],",
      'A local value with the name "serie" has not been declared',
    ],
    [
      "a variable that the module does not have",
      "main.tf",
      "  rotation_topic ",
      "  rotations_topic ",
      'An argument named "rotations_topic" is not expected here',
    ],
    [
      "a variable of a module that is not set",
      "main.tf",
      "  mesh_id               = var.mesh_id\n",
      "",
      'The argument "mesh_id" is required, but no definition was found',
    ],
    [
      "a module that is not there",
      "main.tf",
      '"./modules/pki"',
      '"./modules/ca"',
      "Module source has changed",
    ],
    [
      "a block that is required and missing",
      "modules/observability/alerts.tf",
      "content {",
      "contents {",
      'At least 1 "conditions" blocks are required',
    ],
    [
      "an attribute that an object variable does not have",
      "firewall.tf",
      "var.firewall.pod_ranges",
      "var.firewall.pod_range",
      'This object does not have an attribute named "pod_range"',
    ],
    ["data that there is not", "main.tf", "data.google_project.", "data.google_projects.", "A data resource"],
    [
      "count where there is none",
      SECRET,
      'secret_id           = "${var.mesh_id}-root-ca"',
      "secret_id           = count.index",
      'Reference to "count" in non-counted context',
    ],
    [
      "a misspelt rule of a lifecycle",
      SECRET,
      "ignore_changes",
      "ignored_changes",
      'An argument named "ignored_changes" is not expected here',
    ],
    [
      "a misspelt argument of a variable",
      "variables.tf",
      "  description",
      "  descripton",
      'An argument named "descripton" is not expected here',
    ],
    [
      "a validation that says nothing",
      "modules/pki/variables.tf",
      "error_message",
      "error_massage",
      'The argument "error_message" is required, but no definition was found',
    ],
    [
      "an output without a value",
      "modules/pki/outputs.tf",
      "  value ",
      "  valu ",
      'The argument "value" is required, but no definition was found',
    ],
  ])("is refused with %s", async (_, file, from, to, complaint) => {
    await inCopy(TERRAFORM, async (copy) => {
      await withTrial(copy, async ({ refusal }) => {
        change(copy, file, from, to);
        expect(await refusal("validate")).toContain(complaint);
      });
    });
  });
});

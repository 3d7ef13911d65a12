import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { ROOT } from "../../../scripts/paths.ts";
import { faultsBelow, typesBelow } from "../../../scripts/terraform/faults.ts";
import { blocks, moduleDirectories, readModule } from "../../../scripts/terraform/module.ts";
import { readSchema } from "../../../scripts/terraform/schema.ts";

const TERRAFORM = join(ROOT, "terraform");
const schema = readSchema();
const oldest = readSchema("oldest");

let copy: string;

beforeEach(() => {
  copy = mkdtempSync(join(tmpdir(), "meshjoin-terraform-"));
  cpSync(TERRAFORM, copy, { recursive: true, filter: (path) => !path.includes("/examples") });
});
afterEach(() => rmSync(copy, { recursive: true, force: true }));

function change(file: string, from: string, to: string): void {
  const path = join(copy, file);
  const before = readFileSync(path, "utf8");
  if (!before.includes(from)) throw new Error(`${file} does not hold ${from}`);
  writeFileSync(path, before.replace(from, to));
}

async function messages(): Promise<string[]> {
  const found = await faultsBelow(copy, schema);
  return found.map(({ message }) => message);
}

const SECRET = "modules/pki/main.tf";
const FUNCTION = "modules/functions/function/main.tf";
const TRANSPORT = "modules/triggers/transport.tf";

describe("the check of terraform/", () => {
  it("finds nothing wrong with what is there, by the oldest provider that is allowed and by the newest", async () => {
    expect(await faultsBelow(TERRAFORM, oldest)).toEqual([]);
    expect(await faultsBelow(TERRAFORM, schema)).toEqual([]);
  });

  it("finds what the oldest provider that is allowed does not have yet", async () => {
    change(SECRET, "  version_destroy_ttl =", '  deletion_policy = "PREVENT"\n  version_destroy_ttl =');
    expect(await faultsBelow(copy, schema)).toEqual([]);
    expect((await faultsBelow(copy, oldest)).map(({ message }) => message)).toEqual([
      expect.stringContaining("deletion_policy is unknown"),
    ]);
  });

  it.each<[string, string, string, string, string]>([
    [
      "a misspelt attribute",
      SECRET,
      "version_destroy_ttl =",
      "version_destory_ttl =",
      "version_destory_ttl is unknown: did you mean version_destroy_ttl?",
    ],
    [
      "a misspelt attribute of a nested block",
      FUNCTION,
      "max_instance_request_concurrency =",
      "max_instance_request_concurency =",
      "max_instance_request_concurency is unknown: did you mean max_instance_request_concurrency?",
    ],
    [
      "a misspelt attribute in a dynamic block",
      "modules/observability/alerts.tf",
      "threshold_value    = cond",
      "treshold_value    = cond",
      "treshold_value is unknown: did you mean threshold_value?",
    ],
    [
      "a missing attribute",
      TRANSPORT,
      "  topic   = google_pubsub_topic.this[each.key].id\n",
      "",
      "attribute topic is required: set it",
    ],
    [
      "a missing attribute of a nested block",
      TRANSPORT,
      '      service_account_email = var.accounts["push"]\n',
      "",
      "attribute service_account_email is required: set it",
    ],
    [
      "a block that is none",
      FUNCTION,
      "  build_config {",
      "  build_configuration {",
      "build_configuration is unknown: remove it",
    ],
    [
      "a block in the wrong place",
      TRANSPORT,
      "  retry_policy {",
      "  push_policy {\n  }\n  retry_policy {",
      "push_policy is unknown: remove it",
    ],
    [
      "a block that is written as an attribute",
      TRANSPORT,
      '  expiration_policy {\n    ttl = ""\n  }',
      '  expiration_policy = { ttl = "" }',
      "expiration_policy is a block: write expiration_policy { … }",
    ],
    [
      "a second block where there can be one",
      TRANSPORT,
      "  retry_policy {",
      "  retry_policy {\n  }\n  retry_policy {",
      "there can be only one block retry_policy",
    ],
    [
      "an attribute that the provider decides",
      "modules/triggers/sinks.tf",
      "  unique_writer_identity = true",
      '  writer_identity = "x"',
      "writer_identity is decided by the provider: remove it",
    ],
    [
      "a list where there is one value",
      SECRET,
      "  labels              = var.labels",
      '  labels              = ["mesh"]',
      "labels is no map: use { … }",
    ],
    [
      "an attribute to be ignored that there is not",
      SECRET,
      "[version_aliases, ",
      "[version_alias, ",
      "ignore_changes names version_alias, which is no attribute: correct it",
    ],
    [
      "a type of resource that there is not",
      SECRET,
      '"google_secret_manager_secret" "root"',
      '"google_secretmanager_secret" "root"',
      "google_secret_manager_secret.root.secret_id: there is no such resource; did you mean google_secretmanager_secret.root?",
    ],
    [
      "a reference to a variable that there is not",
      SECRET,
      "var.mesh_id",
      "var.meshid",
      "var.meshid: there is no variable meshid; did you mean mesh_id?",
    ],
    [
      "a reference to an attribute that there is not",
      "modules/functions/function/outputs.tf",
      ".uri",
      ".url",
      "google_cloudfunctions2_function.this.service_config.0.url: there is no attribute url; did you mean uri?",
    ],
    [
      "a reference to a resource that there is not",
      "modules/pki/outputs.tf",
      "secret.root.id",
      "secret.roots.id",
      "google_secret_manager_secret.roots.id: there is no such resource; did you mean google_secret_manager_secret.root?",
    ],
    [
      "a reference to one of many without saying which",
      "modules/identity/outputs.tf",
      'google_service_account.this["builder"].id',
      "google_service_account.this.id",
      "google_service_account.this.id: there are many: name one",
    ],
    [
      "an index on what there is one of",
      "modules/pki/outputs.tf",
      "secret.root.id",
      "secret.root[0].id",
      "google_secret_manager_secret.root.0.id: there is one: remove the index",
    ],
    [
      "a reference to an output that there is not",
      "outputs.tf",
      "module.pki.root_secret",
      "module.pki.rootsecret",
      "module.pki.rootsecret: there is no output rootsecret; did you mean root_secret?",
    ],
    [
      "each where there is no for_each",
      SECRET,
      'secret_id           = "${var.mesh_id}-root-ca"',
      "secret_id           = each.key",
      "each.key: there is no for_each here",
    ],
    [
      "a local value that there is not",
      "modules/triggers/sinks.tf",
      "local.audit_filter",
      "local.audit_filters",
      "local.audit_filters: there is no local value audit_filters; did you mean audit_filter?",
    ],
    [
      "a local value that there is not, in what is done for each",
      "modules/observability/alerts.tf",
      "        local.series[condition.metric],",
      "        local.serie[condition.metric],",
      "local.serie: there is no local value serie; did you mean series?",
    ],
    [
      "a variable that the module does not have",
      "main.tf",
      "  rotation_topic ",
      "  rotations_topic ",
      "the module has no variable rotations_topic; did you mean rotation_topic?",
    ],
    [
      "a variable of a module that is not set",
      "main.tf",
      "  mesh_id               = var.mesh_id\n",
      "",
      "variable mesh_id of the module is required: set it",
    ],
    [
      "a variable that nothing reads",
      "modules/pki/variables.tf",
      'variable "labels"',
      'variable "more" {\n  type = bool\n  description = "x"\n}\n\nvariable "labels"',
      "nothing reads it: remove it",
    ],
    [
      "a variable without a description",
      "variables.tf",
      '  description = "Project that Meshjoin runs in: functions, topics, the root secret, alerts."\n',
      "",
      "it has no description: add it",
    ],
    [
      "a module that is not there",
      "main.tf",
      '"./modules/pki"',
      '"./modules/ca"',
      "there is no module in ./modules/ca: correct source",
    ],
  ])("finds %s", async (_, file, from, to, message) => {
    change(file, from, to);
    expect(await messages()).toContain(message);
  });

  it("says where HCL cannot be read", async () => {
    change(SECRET, "  replication {", "  replication");
    await expect(messages()).rejects.toThrow(/pki\/main\.tf:\d+/);
  });

  it("knows every type that is used, and no other", async () => {
    const used = await typesBelow(TERRAFORM);
    const known = (["resource", "data"] as const).flatMap((kind) =>
      Object.keys(schema[kind]).map((type) => ({ kind, type })),
    );
    expect(new Set(known)).toEqual(new Set(used));
    expect({ resource: Object.keys(oldest.resource), data: Object.keys(oldest.data) }).toEqual({
      resource: Object.keys(schema.resource),
      data: Object.keys(schema.data),
    });
  });

  it("has the schemas of the lower end of the range of each provider, and of a version below its upper end", async () => {
    const ranges = await Promise.all(
      moduleDirectories(TERRAFORM).map(async (directory) => (await readModule(directory)).settings),
    );
    const required = ranges
      .flat()
      .flatMap(({ body }) => blocks(body["required_providers"]).flatMap(Object.values));
    const asked = new Set(required.map((each) => `${each.source} ${each.version}`));
    const known = schema.providers.map(({ source, version }) => {
      const lowest = oldest.providers.find((provider) => provider.source === source)?.version ?? "";
      const next = version.startsWith("0.") ? 1 : Number.parseInt(version, 10) + 1;
      return `${source} >= ${lowest.replace(/\.0$/, "")}, < ${next}`;
    });
    expect(asked).toEqual(new Set(known));
  });
});

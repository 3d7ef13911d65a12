import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { ROOT } from "../../../scripts/paths.ts";
import { houseFaults } from "../../../scripts/terraform/house-rules.ts";
import { blocks, modulesBelow, typesBelow } from "../../../scripts/terraform/module.ts";
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
  const found = await houseFaults(copy);
  return found.map(({ message }) => message);
}

const SECRET = "modules/pki/main.tf";
const LABELS = 'variable "labels"';

describe("the house's rules for terraform/", () => {
  it("find nothing wrong with what is there", async () => {
    expect(await houseFaults(TERRAFORM)).toEqual([]);
  });

  it.each<[string, string, string, string, string]>([
    [
      "a variable that nothing reads",
      "modules/pki/variables.tf",
      LABELS,
      `variable "more" {\n  type = bool\n  description = "x"\n}\n\n${LABELS}`,
      "nothing reads it: remove it",
    ],
    [
      "a variable that its own validation alone reads",
      "modules/pki/variables.tf",
      LABELS,
      `variable "more" {\n  type = string\n  description = "x"\n  validation {\n    condition = var.more != ""\n    error_message = "Use a word."\n  }\n}\n\n${LABELS}`,
      "nothing reads it: remove it",
    ],
    [
      "a local value that nothing reads",
      SECRET,
      "# ",
      'locals {\n  more = "x"\n}\n\n# ',
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
      "a variable without a validation",
      "modules/pki/variables.tf",
      LABELS,
      `variable "more" {\n  type = string\n  description = "x"\n}\n\n${LABELS}`,
      "it has no validation: add one that says what to use",
    ],
    [
      "an output without a description",
      "modules/pki/outputs.tf",
      "  description",
      "  # description",
      "it has no description: add it",
    ],
    [
      "a provider of which a module does not say the version",
      "modules/pki/versions.tf",
      "google =",
      "googly =",
      "it says no version of the provider google: add it to required_providers",
    ],
  ])("find %s", async (_, file, from, to, message) => {
    change(file, from, to);
    expect(await messages()).toContain(message);
  });

  it("say where HCL cannot be read", async () => {
    change(SECRET, "  replication {", "  replication");
    await expect(messages()).rejects.toThrow(/pki\/main\.tf:\d+/);
  });
});

describe("the extracts of the providers' schemas", () => {
  it("know every type that is used, and no other", async () => {
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

  it("are of the lower end of the range of each provider, and of a version below its upper end", async () => {
    const settings = (await modulesBelow(TERRAFORM)).flatMap((module) => module.settings);
    const required = settings.flatMap(({ body }) =>
      blocks(body["required_providers"]).flatMap(Object.values),
    );
    const asked = new Set(required.map((each) => `${each.source} ${each.version}`));
    const known = schema.providers.map(({ source, version }) => {
      const lowest = oldest.providers.find((provider) => provider.source === source)?.version ?? "";
      const next = version.startsWith("0.") ? 1 : Number.parseInt(version, 10) + 1;
      return `${source} >= ${lowest.replace(/\.0$/, "")}, < ${next}`;
    });
    expect(asked).toEqual(new Set(known));
  });
});

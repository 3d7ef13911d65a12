import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ROOT } from "../paths.ts";
import { type Assembly, schemaOf } from "./bindings.ts";
import { typesBelow } from "./faults.ts";
import { type BlockSchema, type Kind, SCHEMA_FILE, type Schema } from "./schema.ts";

/** Generated from the provider of the version that `terraform/versions.tf` pins. */
const BINDINGS = "@cdktf/provider-google@16.12.1";

/** Fetches the bindings into a folder that is gone afterwards: they are 300 MB, and nobody needs them to run anything. */
function readBindings(): Assembly {
  const directory = mkdtempSync(join(tmpdir(), "meshjoin-schema-"));
  try {
    const archive = execFileSync("npm", ["pack", "--silent", BINDINGS], {
      cwd: directory,
      encoding: "utf8",
    }).trim();
    execFileSync("tar", ["xzf", archive, "package/.jsii"], { cwd: directory });
    return JSON.parse(readFileSync(join(directory, "package", ".jsii"), "utf8"));
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

function providerVersion(assembly: Assembly): string {
  const type = assembly.types["@cdktf/provider-google.pubsubTopic.PubsubTopicConfig"];
  const link = type?.properties?.[0]?.docs?.remarks ?? "";
  return /hashicorp\/google\/(?<version>[\d.]+)\//.exec(link)?.groups?.["version"] ?? "unknown";
}

const assembly = readBindings();
const taken: Record<Kind, Record<string, BlockSchema>> = { resource: {}, data: {} };
for (const { kind, type } of await typesBelow(join(ROOT, "terraform"))) {
  const found = schemaOf(assembly, kind, type);
  if (found === undefined) console.error(`the provider has no ${kind} ${type}: correct it`);
  else taken[kind][type] = found;
}
const schema: Schema = { provider: "hashicorp/google", version: providerVersion(assembly), ...taken };
writeFileSync(SCHEMA_FILE, `${JSON.stringify(schema, undefined, 2)}\n`);
const count = Object.values(taken).reduce((sum, types) => sum + Object.keys(types).length, 0);
console.log(`${count} types of provider google ${schema.version} written`);

import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ROOT } from "../paths.ts";
import { type Assembly, schemaOf, versionOf } from "./bindings.ts";
import { typesBelow } from "./module.ts";
import {
  AGES,
  type Age,
  type BlockSchema,
  type Kind,
  localNameOf,
  type Provider,
  type Schema,
  schemaFile,
} from "./schema.ts";

interface Bindings {
  readonly source: string;
  /** A package of PyPI. Its wheel holds the jsii assembly of the TypeScript bindings. */
  readonly wheel: string;
}

/**
 * Of google, `oldest` was generated from 7.31.0 and `newest` from 8.7.0: the range in
 * `terraform/versions.tf`.
 */
const BINDINGS: Readonly<Record<Age, readonly Bindings[]>> = {
  oldest: [
    { source: "hashicorp/google", wheel: "cdktn-provider-google==19.0.0" },
    { source: "hashicorp/time", wheel: "cdktn-provider-time==11.1.0" },
  ],
  newest: [
    { source: "hashicorp/google", wheel: "cdktn-provider-google==21.1.0" },
    { source: "hashicorp/time", wheel: "cdktn-provider-time==14.0.2" },
  ],
};

/**
 * Fetches bindings into a folder that is gone afterwards: they are up to 200 MB, and no program needs them to
 * run.
 */
function readBindings({ wheel }: Bindings): Assembly {
  const directory = mkdtempSync(join(tmpdir(), "meshjoin-schema-"));
  const python = (...args: readonly string[]) =>
    execFileSync("python3", ["-m", ...args], { cwd: directory, stdio: ["ignore", "ignore", "inherit"] });
  const found = (suffix: string) =>
    readdirSync(directory, { recursive: true, encoding: "utf8" }).find((name) => name.endsWith(suffix)) ?? "";
  try {
    python("pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps", wheel);
    python("zipfile", "--extract", found(".whl"), ".");
    execFileSync("tar", ["xzf", found(".jsii.tgz"), "package/.jsii"], { cwd: directory });
    return JSON.parse(readFileSync(join(directory, "package", ".jsii"), "utf8"));
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

const used = await typesBelow(join(ROOT, "terraform"));

function extract(age: Age): Schema {
  const taken: Record<Kind, Record<string, BlockSchema>> = { resource: {}, data: {} };
  const providers: Provider[] = [];
  for (const bindings of BINDINGS[age]) {
    const { source } = bindings;
    const assembly = readBindings(bindings);
    const version = versionOf(assembly, bindings);
    if (version === undefined) throw new Error(`${bindings.wheel} names no version of ${source}`);
    providers.push({ source, version });
    for (const { kind, type } of used.filter(({ type: each }) => source.endsWith(`/${localNameOf(each)}`))) {
      const found = schemaOf(assembly, kind, type);
      if (found === undefined) console.error(`${source} ${version} has no ${kind} ${type}: correct it`);
      else taken[kind][type] = found;
    }
  }
  return { providers, ...taken };
}

for (const age of AGES) {
  const schema = extract(age);
  writeFileSync(schemaFile(age), `${JSON.stringify(schema, undefined, 2)}\n`);
  const count = Object.keys(schema.resource).length + Object.keys(schema.data).length;
  const from = schema.providers.map(({ source, version }) => `${source} ${version}`).join(", ");
  console.log(`${age}: ${count} types of ${from} written`);
}

import { readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { ROOT } from "../paths.ts";

/**
 * Takes out of `build/protos/protos.json` of @google-cloud/cloudbuild what `Build` consists of, for the check
 * of cloudbuild.yaml: `node scripts/check/cloudbuild-messages.ts <protos.json>`. The package itself is no
 * dependency.
 */
interface Field {
  readonly type: string;
  readonly rule?: string;
  readonly keyType?: string;
  readonly options?: Readonly<Record<string, unknown>>;
}

interface Definition {
  readonly fields?: Readonly<Record<string, Field>>;
  readonly values?: Readonly<Record<string, number>>;
  readonly nested?: Readonly<Record<string, Definition>>;
}

const PACKAGE = ["google", "devtools", "cloudbuild", "v1"] as const;
const BEHAVIOR = "(google.api.field_behavior)";
const EXTRACT = join(ROOT, "test", "support", "fixtures", "cloudbuild", "messages.json");

type Scope = readonly Readonly<Record<string, Definition>>[];

/** As protobuf resolves a name: in the message that says it first, then outwards. */
function resolve(scope: Scope, type: string): Definition | undefined {
  return scope.map((names) => names[type]).find((found) => found !== undefined);
}

function collect(name: string, definition: Definition, scope: Scope, extract: Map<string, object>): void {
  if (extract.has(name)) return;
  if (definition.values !== undefined) {
    extract.set(name, { values: Object.keys(definition.values) });
    return;
  }
  const fields: Record<string, object> = {};
  extract.set(name, { fields });
  const inner = [definition.nested ?? {}, ...scope];
  for (const [key, { type, rule, keyType, options }] of Object.entries(definition.fields ?? {})) {
    const isOutput = options?.[BEHAVIOR] === "OUTPUT_ONLY";
    const known = resolve(inner, type);
    fields[key] = isOutput
      ? { type, output: true }
      : {
          type,
          ...(rule === "repeated" ? { list: true } : {}),
          ...(keyType === undefined ? {} : { map: true }),
        };
    if (!isOutput && known !== undefined) collect(type, known, inner, extract);
  }
}

const [path] = process.argv.slice(2);
if (path === undefined) throw new Error("name build/protos/protos.json of @google-cloud/cloudbuild");
const { version }: { version: string } = JSON.parse(
  await readFile(join(dirname(path), "..", "..", "package.json"), "utf8"),
);
let root: Definition = JSON.parse(await readFile(path, "utf8"));
for (const name of PACKAGE) root = root.nested?.[name] ?? {};
const messages = root.nested ?? {};
const extract = new Map<string, object>();
collect("Build", messages["Build"] ?? {}, [messages], extract);
const source = `${PACKAGE.join(".")} as in build/protos/protos.json of @google-cloud/cloudbuild ${version}, by scripts/check/cloudbuild-messages.ts`;
await writeFile(EXTRACT, `${JSON.stringify({ source, messages: Object.fromEntries(extract) }, null, 2)}\n`);

import { cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { computedOf } from "./computed.ts";
import { expressionOf } from "./expression.ts";
import {
  type Body,
  blocks,
  isRecord,
  type Module,
  moduleDirectories,
  type Resource,
  readModule,
  textOf,
} from "./module.ts";
import type { BlockSchema, Schema } from "./schema.ts";

/** Meta arguments that mean the same for a stand-in; `lifecycle` is about real things. */
const KEPT = ["count", "depends_on", "for_each"];

/**
 * Writes modules like those below `from`, with a `terraform_data` in place of each resource of Google: Terraform brings that
 * itself, so everything but the provider can be tried where the provider cannot be had. Tests come along, with the same change.
 */
export async function writeRehearsal(from: string, to: string, schema: Schema): Promise<void> {
  for (const directory of moduleDirectories(from)) {
    const target = join(to, relative(from, directory));
    mkdirSync(target, { recursive: true });
    const module = await readModule(directory);
    writeFileSync(join(target, "main.tf.json"), JSON.stringify(rehearsed(module, schema), undefined, 1));
  }
  const tests = join(from, "tests");
  for (const name of readdirSync(tests)) {
    const file = join(to, "tests", name);
    mkdirSync(dirname(file), { recursive: true });
    if (name.endsWith(".tftest.hcl"))
      writeFileSync(file, rehearsedTest(readFileSync(join(tests, name), "utf8")));
    else cpSync(join(tests, name), file);
  }
}

/** A test names outputs, so all that is of the provider is the mock of it. */
function rehearsedTest(text: string): string {
  return text.replaceAll(/^mock_provider .*?^\}\n/gms, "");
}

function rehearsed(module: Module, schema: Schema): object {
  const named = new Map(module.resources.map((resource) => [addressOf(resource), localOf(resource)]));
  const rename = (value: unknown): unknown => renamed(value, named);
  const bodies = (declared: ReadonlyMap<string, { readonly body: Body }>, change: (body: Body) => Body) =>
    Object.fromEntries([...declared].map(([name, { body }]) => [name, change(body)]));
  const standIns = Object.fromEntries(
    module.resources.map((resource) => [localOf(resource), rename(standIn(resource, schema))]),
  );
  return withoutEmpty({
    variable: bodies(module.variables, ({ type, ...body }) => ({ ...body, type: bare(textOf(type)) })),
    locals: {
      ...Object.fromEntries([...module.locals].map(([name, { value }]) => [name, rename(value)])),
      ...Object.fromEntries(module.resources.map((resource) => [localOf(resource), outputsOf(resource)])),
    },
    ...(module.resources.length === 0 ? {} : { resource: { terraform_data: standIns } }),
    module: bodies(module.calls, (body) => bodyOf(rename(body))),
    output: bodies(module.outputs, (body) => bodyOf(rename(body))),
  });
}

function addressOf({ kind, type, name }: Resource): string {
  return `${kind === "data" ? "data." : ""}${type}.${name}`;
}

function localOf({ kind, type, name }: Resource): string {
  return `${kind}__${type}__${name}`;
}

/** What expressions read of a resource: attributes, by key where there are many. */
function outputsOf(resource: Resource): string {
  const own = `terraform_data.${localOf(resource)}`;
  if ("for_each" in resource.body) return `\${{ for key, each in ${own} : key => each.output }}`;
  return "count" in resource.body ? `\${[for each in ${own} : each.output]}` : `\${${own}.output}`;
}

function standIn(resource: Resource, schema: Schema): Body {
  const { body, kind, type } = resource;
  const kept = Object.entries(body).filter(([key]) => KEPT.includes(key));
  const own = Object.entries(body).filter(([key]) => !KEPT.includes(key) && key !== "lifecycle");
  const known = schema[kind][type] ?? { attributes: {}, blocks: {} };
  const attributes = filled(Object.fromEntries(own), known);
  const input = { ...attributes, ...computedOf(resource) };
  return bodyOf({ ...Object.fromEntries(kept), input });
}

/** With every attribute that may be read, and dynamic blocks written out. */
function filled({ dynamic, ...body }: Body, schema: BlockSchema): Body {
  const unset = Object.entries(schema.attributes).map(([name, use]) => [
    name,
    use.startsWith("computed") ? `(${name})` : null,
  ]);
  const written = Object.entries(body).map(([name, value]) => {
    const block = schema.blocks[name];
    return [name, block === undefined ? value : blocks(value).map((each) => filled(each, block))];
  });
  const dynamics = Object.entries(isRecord(dynamic) ? dynamic : {}).map(([name, found]) => [
    name,
    unrolled(name, blocks(found)[0] ?? {}, schema.blocks[name] ?? { attributes: {}, blocks: {} }),
  ]);
  return Object.fromEntries([...unset, ...written, ...dynamics]);
}

function unrolled(name: string, { for_each: each, content }: Body, schema: BlockSchema): string {
  const one = expressionOf(filled(blocks(content)[0] ?? {}, schema));
  return `\${[for ${name}_key, ${name}_value in ${expressionOf(each)} : ${one
    .replaceAll(new RegExp(`\\b${name}\\.value\\b`, "g"), `${name}_value`)
    .replaceAll(new RegExp(`\\b${name}\\.key\\b`, "g"), `${name}_key`)}]}`;
}

/** References to resources become references to what stands for them; those that only order things, to the stand-ins. */
function renamed(value: unknown, named: ReadonlyMap<string, string>): unknown {
  if (Array.isArray(value)) return value.map((each) => renamed(each, named));
  if (isRecord(value)) {
    return Object.fromEntries(
      Object.entries(value).map(([key, each]) => [
        key,
        key === "depends_on" ? ordered(each, named) : renamed(each, named),
      ]),
    );
  }
  if (typeof value !== "string" || !value.includes("${")) return value;
  let text = value;
  for (const [address, local] of named) {
    text = text.replaceAll(
      new RegExp(`(?<![\\w.])${address.replaceAll(".", "\\.")}\\b`, "g"),
      `local.${local}`,
    );
  }
  return text;
}

function ordered(value: unknown, named: ReadonlyMap<string, string>): unknown {
  return (Array.isArray(value) ? value : []).map((each) => {
    const address = bare(textOf(each));
    const local = named.get(address);
    return local === undefined ? address : `terraform_data.${local}`;
  });
}

function bodyOf(value: unknown): Body {
  return isRecord(value) ? value : {};
}

/** In Terraform's JSON types and addresses stand without `${…}`. */
function bare(text: string): string {
  return text.replace(/^\$\{(?<inner>.*)\}$/s, "$<inner>");
}

/** An empty block of one of these is an error to Terraform. */
function withoutEmpty(parts: Readonly<Record<string, object>>): object {
  return Object.fromEntries(Object.entries(parts).filter(([, part]) => Object.keys(part).length > 0));
}

import { isRecord } from "../../shared/is-record.ts";
import { nearest } from "../../shared/nearest.ts";
import { type Body, blocks, type Fault, type Resource } from "./module.ts";
import type { AttributeType, BlockSchema, NestedBlock, Schema } from "./schema.ts";

/** What Terraform itself takes in any resource. */
const META_ATTRIBUTES = ["count", "depends_on", "for_each", "provider"];
const META_BLOCKS = ["connection", "dynamic", "lifecycle", "provisioner"];
const LIFECYCLE = [
  "create_before_destroy",
  "ignore_changes",
  "postcondition",
  "precondition",
  "prevent_destroy",
  "replace_triggered_by",
];

/** What of a resource the provider's schema does not know, or misses. */
export function resourceFaults(resource: Resource, schema: Schema): Fault[] {
  const { kind, type, name, file, body } = resource;
  const where = `${file}: ${kind} ${type}.${name}`;
  const known = schema[kind][type];
  if (known === undefined) {
    const meant = nearest(type, Object.keys(schema[kind]));
    const hint = meant === undefined ? "" : ` (did you mean ${meant}?)`;
    return [
      {
        where,
        message:
          `the extract of the provider's schema has no ${type}${hint}: ` +
          "correct it, or run node scripts/bootstrap.mjs scripts/terraform/extract-schema.ts",
      },
    ];
  }
  const { own, meta } = split(body);
  return [...bodyFaults(own, known, where), ...lifecycleFaults(meta["lifecycle"], known, where)];
}

function split(body: Body): { own: Body; meta: Body } {
  const isMeta = ([key]: [string, unknown]) =>
    META_ATTRIBUTES.includes(key) || (META_BLOCKS.includes(key) && key !== "dynamic");
  const entries = Object.entries(body);
  return {
    own: Object.fromEntries(entries.filter((entry) => !isMeta(entry))),
    meta: Object.fromEntries(entries.filter(isMeta)),
  };
}

function bodyFaults(body: Body, schema: BlockSchema, where: string): Fault[] {
  const { dynamic, ...written } = body;
  const dynamics = isRecord(dynamic) ? dynamic : {};
  const fault = (message: string): Fault => ({ where, message });
  const present = (name: string) => name in written || name in dynamics;
  return [
    ...Object.entries(written).flatMap(([name, value]) => entryFaults(name, value, schema, where)),
    ...Object.entries(dynamics).flatMap(([name, found]) => dynamicFaults(name, blocks(found), schema, where)),
    ...Object.entries(schema.attributes)
      .filter(([name, use]) => use.startsWith("required") && !present(name))
      .map(([name]) => fault(`attribute ${name} is required: set it`)),
    ...Object.entries(schema.blocks)
      .filter(([name, { required }]) => required && !present(name))
      .map(([name]) => fault(`block ${name} is required: add it`)),
  ];
}

function entryFaults(name: string, value: unknown, schema: BlockSchema, where: string): Fault[] {
  const block = schema.blocks[name];
  const attribute = schema.attributes[name];
  const fault = (message: string): Fault[] => [{ where, message }];
  if (block !== undefined) return blockFaults(name, value, block, where);
  if (attribute === undefined) return fault(unknown(name, schema));
  const [use, type] = attribute.split(" ");
  if (use === "computed") return fault(`${name} is decided by the provider: remove it`);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the second word of an Attribute
  const wrong = mismatch(value, type as AttributeType);
  return wrong === undefined ? [] : fault(`${name} is ${wrong}`);
}

function blockFaults(name: string, value: unknown, block: NestedBlock, where: string): Fault[] {
  const found = blocks(value);
  if (found.length === 0) return [{ where, message: `${name} is a block: write ${name} { … }` }];
  return [
    ...(found.length > 1 && !block.many ? [{ where, message: `there can be only one block ${name}` }] : []),
    ...found.flatMap((body) => bodyFaults(body, block, `${where}, ${name}`)),
  ];
}

function dynamicFaults(name: string, found: readonly Body[], schema: BlockSchema, where: string): Fault[] {
  const block = schema.blocks[name];
  if (block === undefined) return [{ where, message: unknown(name, schema) }];
  const place = `${where}, dynamic ${name}`;
  return found.flatMap((body) => {
    const [content] = blocks(body["content"]);
    const strange = Object.keys(body).filter(
      (key) => !["content", "for_each", "iterator", "labels"].includes(key),
    );
    return [
      ...strange.map((key) => ({ where: place, message: `${key} is unknown: remove it` })),
      ...("for_each" in body ? [] : [{ where: place, message: "for_each is required: set it" }]),
      ...(content === undefined
        ? [{ where: place, message: "block content is required: add it" }]
        : bodyFaults(content, block, place)),
    ];
  });
}

function lifecycleFaults(lifecycle: unknown, schema: BlockSchema, where: string): Fault[] {
  const known = [...Object.keys(schema.attributes), ...Object.keys(schema.blocks)];
  return blocks(lifecycle).flatMap((body) => [
    ...Object.keys(body)
      .filter((key) => !LIFECYCLE.includes(key))
      .map((key) => ({ where, message: `lifecycle.${key} is unknown: remove it` })),
    ...ignoredNames(body["ignore_changes"])
      .filter((name) => !known.includes(name))
      .map((name) => ({
        where,
        message: `ignore_changes names ${name}, which is no attribute: correct it`,
      })),
  ]);
}

function ignoredNames(value: unknown): string[] {
  const paths = Array.isArray(value) ? value.map(String) : [];
  return paths.map((path) => /\w+/.exec(path.replace(/^\$\{/, ""))?.[0] ?? path);
}

function unknown(name: string, schema: BlockSchema): string {
  const meant = nearest(name, [...Object.keys(schema.attributes), ...Object.keys(schema.blocks)]);
  return `${name} is unknown: ${meant === undefined ? "remove it" : `did you mean ${meant}?`}`;
}

/** Of literals alone; what an expression comes to is Terraform's business. Terraform itself turns a number into a string and back. */
function mismatch(value: unknown, type: AttributeType): string | undefined {
  if (value === null || type === "any" || (typeof value === "string" && value.includes("${")))
    return undefined;
  if (type.startsWith("list")) return Array.isArray(value) ? undefined : "no list: use [ … ]";
  if (type.startsWith("map")) return isRecord(value) ? undefined : "no map: use { … }";
  if (typeof value === "object") return `no ${type}: use one value`;
  const isFlag = typeof value === "boolean" || value === "true" || value === "false";
  if (type === "bool" && !isFlag) return "no boolean: use true or false";
  if (type === "number" && Number.isNaN(Number(value))) return "no number";
  return undefined;
}

import { getReferencesInExpression } from "@cdktf/hcl2json";
import { isRecord } from "../../shared/is-record.ts";
import { nearest } from "../../shared/nearest.ts";
import { type Body, blocks, type Declared, type Fault, type Module, textOf } from "./module.ts";
import type { BlockSchema, Schema } from "./schema.ts";
import { interpolations } from "./template.ts";

/** What an expression may name beside what the module declares. */
const ALWAYS = ["path", "terraform"];

interface Place {
  readonly where: string;
  /** Names that only mean something here: `each`, `count`, `self`, iterators of dynamic blocks. */
  readonly scope: readonly string[];
}

interface Expression extends Place {
  readonly text: string;
}

/** What the names in a module's expressions mean. */
export interface Names {
  readonly module: Module;
  readonly schema: Schema;
  /** By name of the call: the module that it calls; undefined where there is none. */
  readonly called: ReadonlyMap<string, Module | undefined>;
}

/** Every name in an expression that stands for nothing, or for nothing that has that attribute. */
export async function referenceFaults(names: Names): Promise<Fault[]> {
  const found = await Promise.all(
    expressionsOf(names.module).map(async (expression) => {
      const references = await referencesIn(expression.text);
      return references.flatMap((reference) => {
        const message = faultOf(reference.split("."), expression, names);
        return message === undefined
          ? []
          : [{ where: expression.where, message: `${reference}: ${message}` }];
      });
    }),
  );
  return found.flat();
}

/** Variables and locals that no expression reads. */
export async function unusedFaults({ module }: Names): Promise<Fault[]> {
  const read = new Set(
    (await Promise.all(expressionsOf(module).map(({ text }) => referencesIn(text))))
      .flat()
      .map((reference) => reference.split(".").slice(0, 2).join(".")),
  );
  const unused = (kind: string, declared: ReadonlyMap<string, { readonly file: string }>) =>
    [...declared]
      .filter(([name]) => !read.has(`${kind}.${name}`))
      .map(([name, { file }]) => ({
        where: `${file}: ${kind}.${name}`,
        message: "nothing reads it: remove it",
      }));
  return [...unused("var", module.variables), ...unused("local", module.locals)];
}

/** By text: the parser is WebAssembly and slow, and the same few texts are asked for again and again. */
const parsedTexts = new Map<string, Promise<readonly string[]>>();

async function referencesIn(text: string): Promise<readonly string[]> {
  const found = parsedTexts.get(text) ?? parseReferences(text);
  parsedTexts.set(text, found);
  return await found;
}

/**
 * An index is written as one more name; one that is an expression as 0, and what it reads is found beside it. The parser does not look
 * into the body of a `for`: of that, variables and locals are found by their look.
 */
async function parseReferences(text: string): Promise<readonly string[]> {
  const indexed = text.replaceAll(/(?<=[\w\]])\[(?:each|var|local|[a-z]\w*)[\w.]*\]/g, "[0]");
  const texts = indexed === text ? [text] : [text, indexed];
  const found = await Promise.all(texts.map((each) => getReferencesInExpression("expression.tf", each)));
  // Of the two readings of one reference the longer one says more.
  const plain = [...text.matchAll(/(?<![\w.])(?:var|local)\.[a-z]\w*/g)].map(([reference]) => reference);
  const parsed = found.flat().map(({ value }) => value);
  const all = [
    ...new Set([
      ...parsed,
      ...plain.filter((each) => !parsed.some((value) => `${value}.`.startsWith(`${each}.`))),
    ]),
  ];
  return all.filter((value) => !all.some((other) => other.startsWith(`${value}.0`)));
}

function expressionsOf(module: Module): Expression[] {
  const of = (declared: Declared, where: string, scope: readonly string[] = []) =>
    expressions(declared.body, {
      where: `${declared.file}: ${where}`,
      scope: [...scope, ...scopeOf(declared.body)],
    });
  return [
    ...module.resources.flatMap((each) => of(each, `${each.kind} ${each.type}.${each.name}`, ["self"])),
    ...[...module.calls].flatMap(([name, call]) => of(call, `module ${name}`)),
    ...[...module.outputs].flatMap(([name, output]) => of(output, `output ${name}`)),
    ...[...module.variables].flatMap(([name, { file, body }]) =>
      expressions(body["validation"], { where: `${file}: variable ${name}`, scope: [] }),
    ),
    ...[...module.locals].flatMap(([name, { file, value }]) =>
      expressions(value, { where: `${file}: local ${name}`, scope: [] }),
    ),
  ];
}

function scopeOf(body: Body): string[] {
  return [...("for_each" in body ? ["each"] : []), ...("count" in body ? ["count"] : [])];
}

/** Meta arguments that name addresses, or attributes of the resource itself, are not expressions. */
const NOT_EXPRESSIONS = ["ignore_changes", "provider", "providers"];

function expressions(value: unknown, place: Place): Expression[] {
  if (typeof value === "string") return interpolations(value).map((text) => ({ ...place, text }));
  if (Array.isArray(value)) return value.flatMap((each) => expressions(each, place));
  if (!isRecord(value)) return [];
  return Object.entries(value).flatMap(([key, each]) => {
    if (NOT_EXPRESSIONS.includes(key)) return [];
    const ofKey = expressions(key, place);
    return key === "dynamic" ? dynamicExpressions(each, place) : [...ofKey, ...expressions(each, place)];
  });
}

function dynamicExpressions(value: unknown, place: Place): Expression[] {
  return Object.entries(isRecord(value) ? value : {}).flatMap(([label, found]) =>
    blocks(found).flatMap(({ for_each: each, iterator, content }) => [
      ...expressions(each, place),
      ...expressions(content, {
        ...place,
        scope: [...place.scope, typeof iterator === "string" ? iterator.replaceAll(/\W/g, "") : label],
      }),
    ]),
  );
}

function faultOf(path: readonly string[], { scope }: Place, names: Names): string | undefined {
  const [root = "", name = ""] = path;
  const { module } = names;
  if (ALWAYS.includes(root) || scope.includes(root)) return undefined;
  switch (root) {
    case "var":
      return missing(name, module.variables, "variable") ?? attributeOfVariable(path, module);
    case "local":
      return missing(name, module.locals, "local value");
    case "module":
      return moduleFault(path, names);
    case "data":
      return resourceFault(path.slice(1), "data", names);
    case "each":
      return "there is no for_each here";
    case "count":
      return "there is no count here";
    default:
      return resourceFault(path, "resource", names);
  }
}

function missing(name: string, declared: ReadonlyMap<string, unknown>, what: string): string | undefined {
  if (declared.has(name)) return undefined;
  const meant = nearest(name, [...declared.keys()]);
  return `there is no ${what} ${name}${meant === undefined ? "" : `; did you mean ${meant}?`}`;
}

/** Of a variable that is one object; of maps and lists nothing is known. */
function attributeOfVariable(
  [, name = "", attribute]: readonly string[],
  module: Module,
): string | undefined {
  const type = textOf(module.variables.get(name)?.body["type"]);
  if (attribute === undefined || !type.startsWith("${object(")) return undefined;
  const known = [...type.matchAll(/(\w+)\s*=/g)].map(([, key]) => key);
  return known.includes(attribute) ? undefined : `variable ${name} has no attribute ${attribute}`;
}

function isIndex(step: string | undefined): boolean {
  return step !== undefined && /^(?:\d+|\*|".*")$/.test(step);
}

function moduleFault(
  [, name = "", ...rest]: readonly string[],
  { module, called }: Names,
): string | undefined {
  const absent = missing(name, module.calls, "module");
  const target = called.get(name);
  if (absent !== undefined || target === undefined) return absent;
  const many = isMany(module.calls.get(name)?.body);
  const [output] = isIndex(rest[0]) ? rest.slice(1) : rest;
  if (output === undefined) return undefined;
  if (many !== isIndex(rest[0])) return many ? "there are many: name one" : "there is one: remove the index";
  return missing(output, target.outputs, "output");
}

function isMany(body: Body | undefined): boolean {
  return body !== undefined && ("for_each" in body || "count" in body);
}

function resourceFault(
  [type = "", name = "", ...rest]: readonly string[],
  kind: "resource" | "data",
  { module, schema }: Names,
): string | undefined {
  const declared = module.resources.find(
    (each) => each.kind === kind && each.type === type && each.name === name,
  );
  if (declared === undefined) {
    const names = module.resources
      .filter((each) => each.kind === kind)
      .map((each) => `${each.type}.${each.name}`);
    const meant = nearest(`${type}.${name}`, names);
    return `there is no such ${kind}${meant === undefined ? "" : `; did you mean ${meant}?`}`;
  }
  const known = schema[kind][type];
  if (known === undefined || rest.length === 0) return undefined;
  const many = isMany(declared.body);
  if (many !== isIndex(rest[0])) return many ? "there are many: name one" : "there is one: remove the index";
  return attributeFault(many ? rest.slice(1) : rest, known);
}

function attributeFault([name, ...rest]: readonly string[], schema: BlockSchema): string | undefined {
  if (name === undefined || name in schema.attributes) return undefined;
  const block = schema.blocks[name];
  if (block === undefined) {
    const meant = nearest(name, [...Object.keys(schema.attributes), ...Object.keys(schema.blocks)]);
    return `there is no attribute ${name}${meant === undefined ? "" : `; did you mean ${meant}?`}`;
  }
  if (rest.length === 0) return undefined;
  if (!isIndex(rest[0])) return `${name} is a list of blocks: use ${name}[0]`;
  return attributeFault(rest.slice(1), block);
}

import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { parse } from "@cdktf/hcl2json";
import { isRecord } from "../../shared/is-record.ts";
import { ROOT } from "../paths.ts";

/** As hcl2json writes it: a block is a list of objects, an expression is `"${…}"`. */
export type Body = Readonly<Record<string, unknown>>;

/** A block with a name, and the file that it stands in. */
export interface Declared {
  readonly file: string;
  readonly body: Body;
}

export interface Resource extends Declared {
  readonly kind: "resource" | "data";
  readonly type: string;
  readonly name: string;
}

/** One folder of Terraform, before anything is said about whether it is right. */
export interface Module {
  readonly directory: string;
  readonly resources: readonly Resource[];
  readonly variables: ReadonlyMap<string, Declared>;
  readonly outputs: ReadonlyMap<string, Declared>;
  readonly calls: ReadonlyMap<string, Declared>;
  readonly locals: ReadonlyMap<string, { readonly file: string; readonly value: unknown }>;
  readonly settings: readonly Declared[];
}

/** Every folder below `directory` that holds `.tf` files, itself included. */
export function moduleDirectories(directory: string): string[] {
  const entries = readdirSync(directory, { withFileTypes: true });
  const below = entries
    .filter((entry) => entry.isDirectory() && !entry.name.startsWith("."))
    .flatMap(({ name }) => moduleDirectories(join(directory, name)));
  return entries.some(({ name }) => name.endsWith(".tf")) ? [directory, ...below] : below;
}

/** The module in each folder below `directory`; fails on HCL that cannot be read. */
export async function modulesBelow(directory: string): Promise<Module[]> {
  return await Promise.all(moduleDirectories(directory).map(readModule));
}

/** The types of resources that the modules below a folder use. */
export async function typesBelow(directory: string): Promise<Pick<Resource, "kind" | "type">[]> {
  const modules = await modulesBelow(directory);
  const types = modules.flatMap(({ resources }) => resources.map(({ kind, type }) => ({ kind, type })));
  return [...new Map(types.map((each) => [`${each.kind} ${each.type}`, each])).values()].toSorted((a, b) =>
    a.type < b.type ? -1 : 1,
  );
}

export async function readModule(directory: string): Promise<Module> {
  const files = readdirSync(directory).filter((name) => name.endsWith(".tf"));
  const parsed = await Promise.all(
    files.toSorted().map(async (name) => {
      const path = join(directory, name);
      return { file: relative(ROOT, path), body: blocksOf(await parse(path, readFileSync(path, "utf8"))) };
    }),
  );
  const named = (block: string): Map<string, Declared> =>
    new Map(
      parsed.flatMap(({ file, body }) =>
        Object.entries(record(body[block])).map(([name, [found]]) => [name, { file, body: found ?? {} }]),
      ),
    );
  const unnamed = (block: string): Declared[] =>
    parsed.flatMap(({ file, body }) => blocks(body[block]).map((found) => ({ file, body: found })));
  return {
    directory,
    resources: parsed.flatMap(({ file, body }) =>
      (["resource", "data"] as const).flatMap((kind) => resourcesOf(kind, file, body[kind])),
    ),
    variables: named("variable"),
    outputs: named("output"),
    calls: named("module"),
    locals: new Map(
      unnamed("locals").flatMap(({ file, body }) =>
        Object.entries(body).map(([name, value]) => [name, { file, value }]),
      ),
    ),
    settings: unnamed("terraform"),
  };
}

function resourcesOf(kind: Resource["kind"], file: string, types: unknown): Resource[] {
  return Object.entries(isRecord(types) ? types : {}).flatMap(([type, names]) =>
    Object.entries(record(names)).flatMap(([name, found]) =>
      found.map((body) => ({ kind, type, name, file, body })),
    ),
  );
}

/** The blocks of one name in a body; none if it is an attribute. */
export function blocks(value: unknown): readonly Body[] {
  return Array.isArray(value) && value.every(isRecord) ? value : [];
}

/** What an attribute that should be a string says; empty if it is none. */
export function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}

function record(value: unknown): Record<string, readonly Body[]> {
  return Object.fromEntries(
    Object.entries(isRecord(value) ? value : {}).map(([name, found]) => [name, blocks(found)]),
  );
}

function blocksOf(parsed: unknown): Body {
  return isRecord(parsed) ? parsed : {};
}

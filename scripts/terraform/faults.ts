import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { resourceFaults } from "./blocks.ts";
import { declarationFaults } from "./declarations.ts";
import { type Fault, type Module, moduleDirectories, readModule, textOf } from "./module.ts";
import { referenceFaults, unusedFaults } from "./references.ts";
import type { Schema } from "./schema.ts";

/** Everything that can be told to be wrong in the modules below a folder without the provider. Fails on HCL that cannot be read. */
export async function faultsBelow(directory: string, schema: Schema): Promise<Fault[]> {
  const directories = moduleDirectories(resolve(directory));
  const modules = new Map(
    await Promise.all(directories.map(async (each) => [each, await readModule(each)] as const)),
  );
  const found = await Promise.all([...modules.values()].map((module) => faultsOf(module, modules, schema)));
  return found.flat();
}

async function faultsOf(
  module: Module,
  modules: ReadonlyMap<string, Module>,
  schema: Schema,
): Promise<Fault[]> {
  const called = new Map(
    [...module.calls].map(([name, { body }]) => [
      name,
      modules.get(resolve(module.directory, textOf(body["source"]))),
    ]),
  );
  const names = { module, schema, called };
  return [
    ...module.resources.flatMap((resource) => resourceFaults(resource, schema)),
    ...declarationFaults(module, called),
    ...(await referenceFaults(names)),
    ...(await unusedFaults(names)),
  ];
}

/** The types of resources that the modules below a folder use. */
export async function typesBelow(
  directory: string,
): Promise<readonly { kind: "resource" | "data"; type: string }[]> {
  if (!existsSync(directory)) return [];
  const modules = await Promise.all(moduleDirectories(directory).map(readModule));
  const types = modules.flatMap(({ resources }) => resources.map(({ kind, type }) => ({ kind, type })));
  return [...new Map(types.map((each) => [`${each.kind} ${each.type}`, each])).values()].toSorted((a, b) =>
    a.type < b.type ? -1 : 1,
  );
}

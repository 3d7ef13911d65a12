import { resolve } from "node:path";
import { isRecord } from "../../shared/is-record.ts";
import { blocks, type Declared, type Module, modulesBelow } from "./module.ts";
import { localNameOf } from "./schema.ts";

export interface Fault {
  /** File, and block in it; or a folder. */
  readonly where: string;
  readonly message: string;
}

/**
 * What the house asks of the modules below a folder, and Terraform does not. Fails on HCL that cannot be
 * read.
 */
export async function houseFaults(directory: string): Promise<Fault[]> {
  const modules = await modulesBelow(resolve(directory));
  return modules.flatMap((module) => [
    ...variableFaults(module),
    ...outputFaults(module),
    ...providerFaults(module),
    ...unusedFaults(module),
  ]);
}

function variableFaults({ variables }: Module): Fault[] {
  return [...variables].flatMap(([name, { file, body }]) => {
    const where = `${file}: variable ${name}`;
    const isFlag = body["type"] === "${bool}";
    return [
      ...lacking(body, ["type", "description"], where),
      ...(isFlag || blocks(body["validation"]).length > 0
        ? []
        : [{ where, message: "it has no validation: add one that says what to use" }]),
    ];
  });
}

function outputFaults({ outputs }: Module): Fault[] {
  return [...outputs].flatMap(([name, { file, body }]) =>
    lacking(body, ["description"], `${file}: output ${name}`),
  );
}

/** A module says itself which providers it is written for, so that it can be used alone. */
function providerFaults({ directory, settings, resources }: Module): Fault[] {
  const pinned = settings.flatMap(({ body }) => blocks(body["required_providers"]).flatMap(Object.keys));
  const used = new Set(resources.map(({ type }) => localNameOf(type)));
  return [...used]
    .filter((name) => !pinned.includes(name))
    .map((name) => ({
      where: directory,
      message: `it says no version of the provider ${name}: add it to required_providers`,
    }));
}

/** Variables and locals that no expression reads; a variable's own validation does not count. */
function unusedFaults({ resources, calls, outputs, variables, locals }: Module): Fault[] {
  const read = new Set([
    ...[...resources, ...calls.values(), ...outputs.values()].flatMap(({ body }) => readBy(body)),
    ...[...locals.values()].flatMap(({ value }) => readBy(value)),
    ...[...variables].flatMap(([name, { body }]) => readBy(body).filter((each) => each !== `var.${name}`)),
  ]);
  const unused = (kind: string, declared: ReadonlyMap<string, Pick<Declared, "file">>) =>
    [...declared]
      .filter(([name]) => !read.has(`${kind}.${name}`))
      .map(([name, { file }]) => ({
        where: `${file}: ${kind}.${name}`,
        message: "nothing reads it: remove it",
      }));
  return [...unused("var", variables), ...unused("local", locals)];
}

/**
 * The variables and locals that stand in expressions, by their look: a word in the text around them may pass
 * for one.
 */
function readBy(value: unknown): string[] {
  if (typeof value === "string") {
    return value.includes("${") ? (value.match(/(?<![\w.])(?:var|local)\.[a-z]\w*/g) ?? []) : [];
  }
  if (Array.isArray(value)) return value.flatMap(readBy);
  return isRecord(value) ? Object.entries(value).flat().flatMap(readBy) : [];
}

function lacking(body: Readonly<Record<string, unknown>>, wanted: readonly string[], where: string): Fault[] {
  return wanted
    .filter((key) => !(key in body))
    .map((key) => ({ where, message: `it has no ${key}: add it` }));
}

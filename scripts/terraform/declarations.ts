import { nearest } from "../../shared/nearest.ts";
import { blocks, type Fault, type Module, textOf } from "./module.ts";
import { localNameOf } from "./schema.ts";

const CALL = ["count", "depends_on", "for_each", "providers", "source", "version"];
const VARIABLE = ["default", "description", "nullable", "sensitive", "type", "validation"];
const OUTPUT = ["depends_on", "description", "precondition", "sensitive", "value"];

/** What the house asks of variables and outputs, and Terraform of calls. */
export function declarationFaults(module: Module, called: ReadonlyMap<string, Module | undefined>): Fault[] {
  return [
    ...variableFaults(module),
    ...outputFaults(module),
    ...callFaults(module, called),
    ...providerFaults(module),
  ];
}

function variableFaults({ variables }: Module): Fault[] {
  return [...variables].flatMap(([name, { file, body }]) => {
    const where = `${file}: variable ${name}`;
    const isFlag = body["type"] === "${bool}";
    return [
      ...strange(body, VARIABLE, where),
      ...lacking(body, ["type", "description"], where),
      ...(isFlag || blocks(body["validation"]).length > 0
        ? []
        : [{ where, message: "it has no validation: add one that says what to use" }]),
      ...blocks(body["validation"]).flatMap((validation) =>
        lacking(validation, ["condition", "error_message"], where),
      ),
    ];
  });
}

function outputFaults({ outputs }: Module): Fault[] {
  return [...outputs].flatMap(([name, { file, body }]) => {
    const where = `${file}: output ${name}`;
    return [...strange(body, OUTPUT, where), ...lacking(body, ["value", "description"], where)];
  });
}

function callFaults({ calls }: Module, called: ReadonlyMap<string, Module | undefined>): Fault[] {
  return [...calls].flatMap(([name, { file, body }]) => {
    const where = `${file}: module ${name}`;
    const target = called.get(name);
    if (target === undefined)
      return [{ where, message: `there is no module in ${textOf(body["source"])}: correct source` }];
    const given = Object.keys(body).filter((key) => !CALL.includes(key));
    const required = [...target.variables]
      .filter(([, variable]) => !("default" in variable.body))
      .map(([key]) => key);
    return [
      ...given
        .filter((key) => !target.variables.has(key))
        .map((key) => {
          const meant = nearest(key, [...target.variables.keys()]);
          return {
            where,
            message: `the module has no variable ${key}${meant === undefined ? "" : `; did you mean ${meant}?`}`,
          };
        }),
      ...required
        .filter((key) => !given.includes(key))
        .map((key) => ({ where, message: `variable ${key} of the module is required: set it` })),
    ];
  });
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

function strange(body: Readonly<Record<string, unknown>>, known: readonly string[], where: string): Fault[] {
  return Object.keys(body)
    .filter((key) => !known.includes(key))
    .map((key) => ({ where, message: `${key} is unknown: remove it` }));
}

function lacking(body: Readonly<Record<string, unknown>>, wanted: readonly string[], where: string): Fault[] {
  return wanted
    .filter((key) => !(key in body))
    .map((key) => ({ where, message: `it has no ${key}: add it` }));
}

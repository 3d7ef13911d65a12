import { readFileSync } from "node:fs";

/** What may stand in a block: attributes by name, each as `"required string"`, and blocks inside it. */
export interface BlockSchema {
  readonly attributes: Readonly<Record<string, Attribute>>;
  readonly blocks: Readonly<Record<string, NestedBlock>>;
}

export interface NestedBlock extends BlockSchema {
  readonly required: boolean;
  readonly many: boolean;
}

/** Whether an attribute may be set, and its type: `any` where the extract cannot tell. */
export type Attribute = `${"required" | "optional" | "computed"} ${AttributeType}`;
type Primitive = "string" | "number";
export type AttributeType = Primitive | "bool" | `${"list" | "map"}(${Primitive})` | "any";

export type Kind = "resource" | "data";

export interface Provider {
  /** Namespace and name in the registry, like `hashicorp/google`. */
  readonly source: string;
  readonly version: string;
}

/** The part of the providers' schemas that `terraform/` uses, as `extract-schema.ts` has taken it. */
export interface Schema extends Readonly<Record<Kind, Readonly<Record<string, BlockSchema>>>> {
  readonly providers: readonly Provider[];
}

/**
 * Of the range that the modules allow: the version at its lower end, and the newest that there was when the
 * extract was taken.
 */
export const AGES = ["oldest", "newest"] as const;
export type Age = (typeof AGES)[number];

export function schemaFile(age: Age): URL {
  return new URL(`./schema-${age}.json`, import.meta.url);
}

export function readSchema(age: Age = "newest"): Schema {
  return JSON.parse(readFileSync(schemaFile(age), "utf8"));
}

/**
 * How a module calls the provider of a type, unless it says otherwise:
 * https://developer.hashicorp.com/terraform/language/providers/requirements#local-names
 */
export function localNameOf(type: string): string {
  return type.split("_", 1)[0] ?? type;
}

export function providerOf({ providers }: Schema, type: string): Provider | undefined {
  return providers.find(({ source }) => source.endsWith(`/${localNameOf(type)}`));
}

/** For people: `google 8.7.0, time 0.14.2`. */
export function versionsIn({ providers }: Schema): string {
  return providers.map(({ source, version }) => `${source.split("/").at(-1)} ${version}`).join(", ");
}

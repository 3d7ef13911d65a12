import {
  type Attribute,
  type AttributeType,
  type BlockSchema,
  type Kind,
  localNameOf,
  type NestedBlock,
} from "./schema.ts";

/** The parts of a `.jsii` assembly that say what a provider takes; https://aws.github.io/jsii/ */
export interface Assembly {
  readonly types: Readonly<Record<string, JsiiType>>;
}

interface JsiiType {
  readonly properties?: readonly Property[];
}

interface Property {
  readonly name: string;
  readonly optional?: boolean;
  readonly static?: boolean;
  readonly docs?: { readonly summary?: string; readonly remarks?: string };
  readonly type: TypeReference;
}

interface TypeReference {
  readonly primitive?: string;
  readonly fqn?: string;
  readonly collection?: Collection;
  readonly union?: { readonly types: readonly TypeReference[] };
}

interface Collection {
  readonly kind: "array" | "map";
  readonly elementtype: TypeReference;
}

/** Types of jsii that Terraform's own are made of: https://github.com/open-constructs/cdk-terrain */
const LIBRARY = "cdktn";
const PACKAGE = `@${LIBRARY}/provider-`;
/** Of every generated class, and nothing of the provider's. */
const GENERATED = new Set(["internal_value", "fqn", "interpolation_as_list", "cdktf_stack", "count", "node"]);

/**
 * The version of the provider that the bindings were made of: each of their links to its documentation names
 * it.
 */
export function versionOf(assembly: Assembly, { source }: { readonly source: string }): string | undefined {
  const link = new RegExp(`/providers/${source}/(?<version>[\\d.]+)/docs/`);
  for (const { properties = [] } of Object.values(assembly.types)) {
    for (const { docs } of properties) {
      const found = link.exec(`${docs?.summary} ${docs?.remarks}`)?.groups?.["version"];
      if (found !== undefined) return found;
    }
  }
  return undefined;
}

/** The schema of one type, read from the TypeScript bindings that were generated from the provider's own. */
export function schemaOf(assembly: Assembly, kind: Kind, type: string): BlockSchema | undefined {
  const provider = localNameOf(type);
  const words = (kind === "data" ? `data_${type}` : type.slice(provider.length + 1)).split("_");
  const className = words.map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join("");
  const module = className.charAt(0).toLowerCase() + className.slice(1);
  const name = `${PACKAGE}${provider}.${module}.${className}`;
  return assembly.types[name] === undefined ? undefined : blockOf(assembly, `${name}Config`, name);
}

function blockOf(assembly: Assembly, settable: string, readable: string): BlockSchema {
  const properties = assembly.types[settable]?.properties ?? [];
  const isBlock = ({ docs }: Property) => /^\w+ block\.$/.test(docs?.summary ?? "");
  const set = properties
    .filter((property) => !isBlock(property))
    .map((property): [string, Attribute] => {
      const name = terraformName(property);
      const use = name === "id" ? "computed" : property.optional === true ? "optional" : "required";
      return [name, `${use} ${attributeType(property.type)}`];
    });
  const blocks = properties
    .filter(isBlock)
    .map((property): [string, NestedBlock] => [terraformName(property), nestedBlock(assembly, property)]);
  const known = new Set([...set, ...blocks].map(([name]) => name));
  const computed = (assembly.types[readable]?.properties ?? [])
    .filter((property) => property.static !== true && !property.name.endsWith("Input"))
    .map((property): [string, Attribute] => [
      snake(property.name),
      `computed ${attributeType(property.type)}`,
    ])
    .filter(([name]) => !known.has(name) && !GENERATED.has(name));
  return { attributes: sorted([...set, ...computed]), blocks: sorted(blocks) };
}

function nestedBlock(assembly: Assembly, { type, optional = false }: Property): NestedBlock {
  const many = alternatives(type).some(({ collection }) => collection !== undefined);
  const fqn = alternatives(type)
    .map((each) => each.collection?.elementtype.fqn ?? each.fqn)
    .find((name) => name?.startsWith(PACKAGE));
  return { required: !optional, many, ...blockOf(assembly, fqn ?? "", `${fqn}OutputReference`) };
}

function alternatives(type: TypeReference): readonly TypeReference[] {
  return type.union?.types ?? [type];
}

function attributeType(type: TypeReference): AttributeType {
  for (const { primitive, collection, fqn = "" } of alternatives(type)) {
    if (primitive === "boolean") return "bool";
    if (primitive === "string" || primitive === "number") return primitive;
    if (collection !== undefined) return collectionType(collection);
    if (fqn.startsWith(`${LIBRARY}.`) && fqn.endsWith("Map")) return "map(string)";
    if (fqn === `${LIBRARY}.IResolvable`) return "bool";
  }
  return "any";
}

function collectionType({ kind, elementtype }: Collection): AttributeType {
  const { primitive = "string" } = elementtype;
  if (primitive !== "string" && primitive !== "number") return "any";
  return `${kind === "map" ? "map" : "list"}(${primitive})`;
}

/** Each property links to the documentation of its argument, by Terraform's own name. */
function terraformName({ name, docs }: Property): string {
  return (
    /\/docs\/[\w-]+\/\w+#(?<argument>\w+) /.exec(docs?.remarks ?? "")?.groups?.["argument"] ?? snake(name)
  );
}

function snake(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

function sorted<T>(entries: readonly (readonly [string, T])[]): Record<string, T> {
  return Object.fromEntries(entries.toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

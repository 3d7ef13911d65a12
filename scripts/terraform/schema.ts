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

/** Of an attribute: may it be set, and what is it. `any` is what the extract cannot tell. */
export type Attribute = `${"required" | "optional" | "computed"} ${AttributeType}`;
type Primitive = "string" | "number";
export type AttributeType = Primitive | "bool" | `${"list" | "map"}(${Primitive})` | "any";

export type Kind = "resource" | "data";

/** The part of the provider's schema that `terraform/` uses, as `extract-schema.ts` has taken it. */
export interface Schema extends Readonly<Record<Kind, Readonly<Record<string, BlockSchema>>>> {
  readonly provider: string;
  readonly version: string;
}

export const SCHEMA_FILE = new URL("./schema.json", import.meta.url);

export function readSchema(): Schema {
  return JSON.parse(readFileSync(SCHEMA_FILE, "utf8"));
}

import type { Attribute, BlockSchema, NestedBlock } from "../schema.ts";

interface SchemaMessage {
  readonly version: number;
  readonly block: BlockMessage;
}

interface BlockMessage {
  readonly attributes: readonly object[];
  readonly block_types: readonly object[];
}

export function schemaMessages(
  types: Readonly<Record<string, BlockSchema>>,
): Readonly<Record<string, SchemaMessage>> {
  return Object.fromEntries(Object.entries(types).map(([type, schema]) => [type, schemaMessage(schema)]));
}

export function schemaMessage(schema: BlockSchema): SchemaMessage {
  return { version: 0, block: blockMessage(schema) };
}

function blockMessage({ attributes, blocks }: BlockSchema): BlockMessage {
  return {
    attributes: Object.entries(attributes).map(attributeMessage),
    block_types: Object.entries(blocks).map(nestedMessage),
  };
}

/** A type goes over as cty writes it in JSON: https://github.com/zclconf/go-cty/blob/main/docs/json.md */
function attributeMessage([name, attribute]: [string, Attribute]): object {
  const [use, type = "any"] = attribute.split(" ");
  const { of, collection } = /^(?<collection>list|map)\((?<of>\w+)\)$/.exec(type)?.groups ?? {};
  const constraint = collection === undefined ? type.replace("any", "dynamic") : [collection, of];
  return {
    name,
    type: Buffer.from(JSON.stringify(constraint)),
    [use === "required" || use === "computed" ? use : "optional"]: true,
  };
}

/** The extract cannot tell a set from a list: what follows from the order of blocks is not found. */
function nestedMessage([name, { required, many, ...block }]: [string, NestedBlock]): object {
  return {
    type_name: name,
    block: blockMessage(block),
    nesting: "LIST",
    min_items: required ? 1 : 0,
    max_items: many ? 0 : 1,
  };
}

import { Decoder, Encoder, ExtensionCodec } from "@msgpack/msgpack";
import type { Attribute, BlockSchema } from "../schema.ts";

/** What only applying will tell. */
export const UNKNOWN: object = Object.freeze({});

/**
 * How Terraform writes values:
 * https://github.com/hashicorp/terraform/blob/main/docs/plugin-protocol/object-wire-format.md
 */
const PLAIN = 0;
const REFINED = 12;

const extensionCodec = new ExtensionCodec();
extensionCodec.register({
  type: PLAIN,
  encode: (value) => (value === UNKNOWN ? new Uint8Array(1) : null),
  decode: () => UNKNOWN,
});
extensionCodec.register({
  type: REFINED,
  encode: () => null,
  decode: () => UNKNOWN,
});

const decoder = new Decoder({ extensionCodec });
const encoder = new Encoder({ extensionCodec });

export type Value = Readonly<Record<string, unknown>>;

/** Null is an object that is not there: not yet, or no longer. */
export function decoded(msgpack: Uint8Array): Value | null {
  const value: unknown = decoder.decode(msgpack);
  return isValue(value) ? value : null;
}

export function encoded(value: unknown): { readonly msgpack: Uint8Array } {
  return { msgpack: encoder.encode(value) };
}

/** The same, with `change` of each attribute, those of nested blocks included. */
export function withAttributes(
  value: Value,
  schema: BlockSchema,
  change: (name: string, attribute: Attribute, current: unknown) => unknown,
): Value {
  return Object.fromEntries(
    Object.entries(value).map(([name, current]) => {
      const attribute = schema.attributes[name];
      if (attribute !== undefined) return [name, change(name, attribute, current)];
      const block = schema.blocks[name];
      if (block === undefined || !Array.isArray(current)) return [name, current];
      return [name, current.map((each) => (isValue(each) ? withAttributes(each, block, change) : each))];
    }),
  );
}

export function isValue(value: unknown): value is Value {
  return typeof value === "object" && value !== null && value !== UNKNOWN;
}

/** An attribute that is a string; empty where it is none, or not known yet. */
export function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}

import { type Asn1, oid, sequence, set, utf8String } from "./asn1.ts";

/** X.520 attribute types. */
const ATTRIBUTES = { O: "2.5.4.10", CN: "2.5.4.3", L: "2.5.4.7" } as const;

export type NameAttribute = keyof typeof ATTRIBUTES;

/** A distinguished name of single-valued attributes, in the order given. */
export function distinguishedName(...attributes: [NameAttribute, string][]): Asn1 {
  return sequence(
    ...attributes.map(([type, value]) => set(sequence(oid(ATTRIBUTES[type]), utf8String(value)))),
  );
}

import forge from "node-forge";

// @types/node-forge lacks the reader's options, and context tags, which are plain numbers.
declare module "node-forge" {
  namespace asn1 {
    function fromDer(
      bytes: util.ByteStringBuffer,
      options: { strict: boolean; parseAllBytes: boolean; decodeBitStrings: boolean },
    ): Asn1;
    function create(tagClass: Class, tag: number, constructed: boolean, value: string | Asn1[]): Asn1;
  }
}

const { asn1, util } = forge;

export type Asn1 = forge.asn1.Asn1;

const TYPE = asn1.Type;
const CLASS = asn1.Class;

/**
 * Reads exactly one DER value, which fits unchanged into another structure. Refuses an encoding that `encode`
 * would not give (BER, not DER): a changed byte in a name or key would break a signature later.
 */
export function decode(der: Buffer): Asn1 {
  const node = asn1.fromDer(util.createBuffer(der.toString("binary")), {
    strict: true,
    parseAllBytes: true,
    decodeBitStrings: false,
  });
  if (!encode(node).equals(der)) throw new Error("the encoding is not DER");
  return node;
}

export function encode(node: Asn1): Buffer {
  return Buffer.from(asn1.toDer(node).getBytes(), "binary");
}

export function children(node: Asn1 | undefined): Asn1[] {
  if (node === undefined || !Array.isArray(node.value)) throw new Error("a constructed value is missing");
  return node.value;
}

export function content(node: Asn1 | undefined): Buffer {
  if (node === undefined || typeof node.value !== "string") throw new Error("a primitive value is missing");
  return Buffer.from(node.value, "binary");
}

/** The octets of a BIT STRING that is a whole number of octets. */
export function bitStringOctets(node: Asn1 | undefined): Buffer {
  const octets = content(node);
  if (octets[0] !== 0) throw new Error("a bit string has unused bits");
  return octets.subarray(1);
}

export function oidOf(node: Asn1 | undefined): string {
  return asn1.derToOid(content(node).toString("binary"));
}

/** The first child that carries the context tag `[tag]`. */
export function tagged(nodes: readonly Asn1[], tag: number): Asn1 | undefined {
  return nodes.find((node) => {
    const type: number = node.type;
    return node.tagClass === CLASS.CONTEXT_SPECIFIC && type === tag;
  });
}

export function sequence(...nodes: Asn1[]): Asn1 {
  return asn1.create(CLASS.UNIVERSAL, TYPE.SEQUENCE, true, nodes);
}

export function set(...nodes: Asn1[]): Asn1 {
  return asn1.create(CLASS.UNIVERSAL, TYPE.SET, true, nodes);
}

export function oid(id: string): Asn1 {
  return primitive(TYPE.OID, asn1.oidToDer(id).getBytes());
}

/** `octets` are big-endian two's complement. */
export function integer(octets: Buffer | number): Asn1 {
  const bytes = typeof octets === "number" ? asn1.integerToDer(octets).getBytes() : octets.toString("binary");
  return primitive(TYPE.INTEGER, bytes);
}

export function boolean(value: boolean): Asn1 {
  return primitive(TYPE.BOOLEAN, value ? "\u{ff}" : "\0");
}

export function nil(): Asn1 {
  return primitive(TYPE.NULL, "");
}

export function utf8String(text: string): Asn1 {
  return primitive(TYPE.UTF8, Buffer.from(text).toString("binary"));
}

export function octetString(octets: Buffer): Asn1 {
  return primitive(TYPE.OCTETSTRING, octets.toString("binary"));
}

export function bitString(octets: Buffer, unusedBits = 0): Asn1 {
  return primitive(TYPE.BITSTRING, String.fromCharCode(unusedBits) + octets.toString("binary"));
}

/** `[tag] EXPLICIT`, or any other constructed context tag. */
export function explicit(tag: number, ...nodes: Asn1[]): Asn1 {
  return asn1.create(CLASS.CONTEXT_SPECIFIC, tag, true, nodes);
}

/** `[tag] IMPLICIT` over a primitive type. */
export function implicit(tag: number, octets: Buffer): Asn1 {
  return asn1.create(CLASS.CONTEXT_SPECIFIC, tag, false, octets.toString("binary"));
}

const FIRST_GENERALIZED_YEAR = 2050;

/** RFC 5280 4.1.2.5: UTCTime through 2049, GeneralizedTime from 2050 on; always Zulu and whole seconds. */
export function time(date: Date): Asn1 {
  const text = date.toISOString().replace(/\.\d+|[-:T]/g, "");
  return date.getUTCFullYear() < FIRST_GENERALIZED_YEAR
    ? primitive(TYPE.UTCTIME, text.slice(2))
    : primitive(TYPE.GENERALIZEDTIME, text);
}

const TIME = /^(?<year>\d{4})(?<month>\d\d)(?<day>\d\d)(?<hour>\d\d)(?<minute>\d\d)(?<second>\d\d)Z$/;

/** Reads the two forms that `time` writes; RFC 5280 allows no other. */
export function timeOf(node: Asn1 | undefined): Date {
  const text = content(node).toString("latin1");
  const full = node?.type === TYPE.UTCTIME ? `${Number(text.slice(0, 2)) < 50 ? "20" : "19"}${text}` : text;
  const date = new Date(full.replace(TIME, "$<year>-$<month>-$<day>T$<hour>:$<minute>:$<second>Z"));
  if (!TIME.test(full) || Number.isNaN(date.getTime())) throw new Error("a time is malformed");
  return date;
}

function primitive(type: forge.asn1.Type, octets: string): Asn1 {
  return asn1.create(CLASS.UNIVERSAL, type, false, octets);
}

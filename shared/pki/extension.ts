import {
  type Asn1,
  bitString,
  boolean,
  encode,
  implicit,
  integer,
  octetString,
  oid,
  sequence,
} from "./asn1.ts";

/** RFC 5280 4.2.1. */
export const EXTENSION = {
  subjectKeyIdentifier: "2.5.29.14",
  keyUsage: "2.5.29.15",
  subjectAltName: "2.5.29.17",
  basicConstraints: "2.5.29.19",
  authorityKeyIdentifier: "2.5.29.35",
} as const;

/** Critical, `cA` true. */
export function basicConstraints(pathLength?: number): Asn1 {
  const value = pathLength === undefined ? [boolean(true)] : [boolean(true), integer(pathLength)];
  return extension(EXTENSION.basicConstraints, sequence(...value), { critical: true });
}

/** Critical, keyCertSign and cRLSign: bits 5 and 6 of seven, so one bit is unused. */
export function certificateSigning(): Asn1 {
  return extension(EXTENSION.keyUsage, bitString(Buffer.of(0b0000_0110), 1), { critical: true });
}

export function subjectKeyIdentifier(id: Buffer): Asn1 {
  return extension(EXTENSION.subjectKeyIdentifier, octetString(id));
}

export function authorityKeyIdentifier(id: Buffer): Asn1 {
  return extension(EXTENSION.authorityKeyIdentifier, sequence(implicit(0, id)));
}

export function dnsName(name: string): Asn1 {
  return extension(EXTENSION.subjectAltName, sequence(implicit(2, Buffer.from(name, "ascii"))));
}

function extension(id: string, value: Asn1, options?: { critical: boolean }): Asn1 {
  const critical = options?.critical === true ? [boolean(true)] : [];
  return sequence(oid(id), ...critical, octetString(encode(value)));
}

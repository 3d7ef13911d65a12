import { type KeyObject, verify } from "node:crypto";
import type { SigningKey } from "../ports/root-keys.ts";
import { ALGORITHMS, algorithmOf } from "./algorithm.ts";
import {
  type Asn1,
  bitString,
  bitStringOctets,
  children,
  decode,
  encode,
  nil,
  oid,
  oidOf,
  sequence,
} from "./asn1.ts";

/** ECDSA identifiers have no parameters at all (RFC 5758), RSA ones a NULL (RFC 4055). */
export function algorithmIdentifier(key: Pick<SigningKey, "publicKey" | "digest">): Asn1 {
  const { id, keyType } = algorithmOf(key);
  return keyType === "rsa" ? sequence(oid(id), nil()) : sequence(oid(id));
}

/** `SEQUENCE { toBeSigned, signatureAlgorithm, signature }`: a certificate and a CSR alike. */
export async function signed(toBeSigned: Asn1, key: SigningKey): Promise<Buffer> {
  const signature = await key.sign(encode(toBeSigned));
  return encode(sequence(toBeSigned, algorithmIdentifier(key), bitString(signature)));
}

/** False also for the broken algorithms MD5, SHA-1 and DSA, and for malformed input. */
export function isSignedBy(der: Buffer, key: KeyObject): boolean {
  try {
    return hasSignature(der, key);
  } catch {
    return false;
  }
}

function hasSignature(der: Buffer, key: KeyObject): boolean {
  const [toBeSigned, identifier, signature] = children(decode(der));
  const id = oidOf(children(identifier)[0]);
  const algorithm = ALGORITHMS.find((each) => each.id === id && each.keyType === key.asymmetricKeyType);
  if (algorithm === undefined || toBeSigned === undefined) return false;
  const octets = bitStringOctets(signature);
  // The signature does not cover the bytes around the signed part: they must be as `signed` writes them.
  const isWhole = [sequence(oid(id)), sequence(oid(id), nil())].some((each) =>
    encode(sequence(toBeSigned, each, bitString(octets))).equals(der),
  );
  return isWhole && verify(algorithm.digest, encode(toBeSigned), key, octets);
}

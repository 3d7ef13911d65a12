import { type KeyObject, sign, verify } from "node:crypto";
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

interface SignatureAlgorithm {
  readonly id: string;
  readonly keyType: "rsa" | "ec";
  readonly digest: "sha256" | "sha384" | "sha512";
}

/** RFC 4055 and RFC 5758. */
const ALGORITHMS: readonly SignatureAlgorithm[] = [
  { id: "1.2.840.113549.1.1.11", keyType: "rsa", digest: "sha256" },
  { id: "1.2.840.113549.1.1.12", keyType: "rsa", digest: "sha384" },
  { id: "1.2.840.113549.1.1.13", keyType: "rsa", digest: "sha512" },
  { id: "1.2.840.10045.4.3.2", keyType: "ec", digest: "sha256" },
  { id: "1.2.840.10045.4.3.3", keyType: "ec", digest: "sha384" },
  { id: "1.2.840.10045.4.3.4", keyType: "ec", digest: "sha512" },
];

/** SHA-256, and SHA-384 with a P-384 key: the digest that matches the curve. */
function algorithmFor(key: KeyObject): SignatureAlgorithm {
  const digest = key.asymmetricKeyDetails?.namedCurve === "secp384r1" ? "sha384" : "sha256";
  const algorithm = ALGORITHMS.find(
    (each) => each.keyType === key.asymmetricKeyType && each.digest === digest,
  );
  if (algorithm === undefined)
    throw new TypeError(`no signature algorithm for ${key.asymmetricKeyType} keys`);
  return algorithm;
}

/** ECDSA identifiers have no parameters at all (RFC 5758), RSA ones a NULL (RFC 4055). */
export function algorithmIdentifier(key: KeyObject): Asn1 {
  const { id, keyType } = algorithmFor(key);
  return keyType === "rsa" ? sequence(oid(id), nil()) : sequence(oid(id));
}

/** `SEQUENCE { toBeSigned, signatureAlgorithm, signature }`: a certificate and a CSR alike. */
export function signed(toBeSigned: Asn1, key: KeyObject): Buffer {
  const signature = sign(algorithmFor(key).digest, encode(toBeSigned), key);
  return encode(sequence(toBeSigned, algorithmIdentifier(key), bitString(signature)));
}

/** False also for algorithms that nobody should use any more, MD5, SHA-1, DSA, and for bytes that are no such structure. */
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
  // What is around the signed part is not signed: it must be as it would be written here.
  const isWhole = [sequence(oid(id)), sequence(oid(id), nil())].some((each) =>
    encode(sequence(toBeSigned, each, bitString(octets))).equals(der),
  );
  return isWhole && verify(algorithm.digest, encode(toBeSigned), key, octets);
}

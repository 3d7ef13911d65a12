import { createHash, createPublicKey, generateKeyPair, type KeyObject } from "node:crypto";
import { promisify } from "node:util";
import type { KeyAlgorithm } from "../core/spec.ts";
import { bitStringOctets, children, decode } from "./asn1.ts";

export interface KeyPair {
  readonly publicKey: KeyObject;
  readonly privateKey: KeyObject;
}

const generate = promisify(generateKeyPair);

const PARAMETERS: Readonly<Record<KeyAlgorithm, { namedCurve: string } | { modulusLength: number }>> = {
  "ec-p256": { namedCurve: "prime256v1" },
  "ec-p384": { namedCurve: "secp384r1" },
  "rsa-2048": { modulusLength: 2048 },
  "rsa-3072": { modulusLength: 3072 },
  "rsa-4096": { modulusLength: 4096 },
};

/** In libuv's thread pool: an RSA key takes up to seconds, and other clusters wait for the event loop. */
export async function makeKeyPair(algorithm: KeyAlgorithm): Promise<KeyPair> {
  const parameters = PARAMETERS[algorithm];
  return await ("namedCurve" in parameters ? generate("ec", parameters) : generate("rsa", parameters));
}

/** Of unencrypted keys: PKCS#8, PKCS#1 and SEC1. */
export const PRIVATE_KEY_LABELS: ReadonlySet<string> = new Set([
  "PRIVATE KEY",
  "RSA PRIVATE KEY",
  "EC PRIVATE KEY",
]);

/** PKCS#8, unencrypted: the form of `ca-key.pem` that istiod reads for RSA and EC alike. */
export function privateKeyPem(key: KeyObject): string {
  return key.export({ type: "pkcs8", format: "pem" }).toString();
}

const MIN_RSA_BITS = 2048;
const MAX_RSA_BITS = 4096;
/** F4; smaller exponents are legal and have a history of broken verifiers. */
const MIN_RSA_EXPONENT = 65_537n;

/** Why a key may not sign or be signed; undefined if it may. The same for roots and intermediates. */
export function keyWeakness(key: KeyObject): string | undefined {
  const type = key.asymmetricKeyType;
  if (type === "rsa") return rsaWeakness(key);
  if (type === "ec") return curveWeakness(key);
  return `a key of type ${type ?? "unknown"} is neither RSA nor EC`;
}

function rsaWeakness(key: KeyObject): string | undefined {
  const { modulusLength = 0, publicExponent = 0n } = key.asymmetricKeyDetails ?? {};
  if (modulusLength < MIN_RSA_BITS || modulusLength > MAX_RSA_BITS) {
    return `an RSA key of ${modulusLength} bits is not between ${MIN_RSA_BITS} and ${MAX_RSA_BITS}`;
  }
  return publicExponent < MIN_RSA_EXPONENT ? `the RSA exponent ${publicExponent} is too small` : undefined;
}

function curveWeakness(key: KeyObject): string | undefined {
  const curve = key.asymmetricKeyDetails?.namedCurve;
  if (curve === "prime256v1" || curve === "secp384r1") return undefined;
  return `the curve ${curve ?? "without a name"} is neither P-256 nor P-384`;
}

/** SubjectPublicKeyInfo as Go's crypto/x509 reads it: with a named curve and an uncompressed point. */
export function subjectPublicKeyInfo(key: KeyObject): Buffer {
  const canonical = createPublicKey({ key: key.export({ format: "jwk" }), format: "jwk" });
  return canonical.export({ type: "spki", format: "der" });
}

/** RFC 5280 4.2.1.2 method 1: SHA-1 of the subjectPublicKey bits. No security depends on it. */
export function keyIdentifier(spki: Buffer): Buffer {
  return createHash("sha1")
    .update(bitStringOctets(children(decode(spki))[1]))
    .digest();
}

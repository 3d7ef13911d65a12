import type { KeyObject } from "node:crypto";
import type { SigningKey } from "../ports/root-keys.ts";

export interface SignatureAlgorithm extends Pick<SigningKey, "digest"> {
  readonly id: string;
  readonly keyType: "rsa" | "ec";
}

/** RFC 4055 and RFC 5758. */
export const ALGORITHMS: readonly SignatureAlgorithm[] = [
  { id: "1.2.840.113549.1.1.11", keyType: "rsa", digest: "sha256" },
  { id: "1.2.840.113549.1.1.12", keyType: "rsa", digest: "sha384" },
  { id: "1.2.840.113549.1.1.13", keyType: "rsa", digest: "sha512" },
  { id: "1.2.840.10045.4.3.2", keyType: "ec", digest: "sha256" },
  { id: "1.2.840.10045.4.3.3", keyType: "ec", digest: "sha384" },
  { id: "1.2.840.10045.4.3.4", keyType: "ec", digest: "sha512" },
];

/** TypeError for a key that is neither RSA nor EC. */
export function algorithmOf({
  publicKey,
  digest,
}: Pick<SigningKey, "publicKey" | "digest">): SignatureAlgorithm {
  const type = publicKey.asymmetricKeyType;
  const algorithm = ALGORITHMS.find((each) => each.keyType === type && each.digest === digest);
  if (algorithm === undefined) throw new TypeError(`no signature algorithm for ${type} keys`);
  return algorithm;
}

/** SHA-256, and SHA-384 with a P-384 key: the digest that matches the curve. */
export function digestFor(key: KeyObject): SigningKey["digest"] {
  return key.asymmetricKeyDetails?.namedCurve === "secp384r1" ? "sha384" : "sha256";
}

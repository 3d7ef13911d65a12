import type { KeyObject } from "node:crypto";
import type { SignatureAlgorithm } from "../ports.ts";

/** RFC 4055 and RFC 5758. */
export const ALGORITHMS: readonly SignatureAlgorithm[] = [
  { id: "1.2.840.113549.1.1.11", keyType: "rsa", digest: "sha256" },
  { id: "1.2.840.113549.1.1.12", keyType: "rsa", digest: "sha384" },
  { id: "1.2.840.113549.1.1.13", keyType: "rsa", digest: "sha512" },
  { id: "1.2.840.10045.4.3.2", keyType: "ec", digest: "sha256" },
  { id: "1.2.840.10045.4.3.3", keyType: "ec", digest: "sha384" },
  { id: "1.2.840.10045.4.3.4", keyType: "ec", digest: "sha512" },
];

/** SHA-256, and SHA-384 with a P-384 key: the digest that matches the curve. TypeError for a key that is neither RSA nor EC. */
export function algorithmFor(key: KeyObject): SignatureAlgorithm {
  const digest = key.asymmetricKeyDetails?.namedCurve === "secp384r1" ? "sha384" : "sha256";
  const algorithm = ALGORITHMS.find(
    (each) => each.keyType === key.asymmetricKeyType && each.digest === digest,
  );
  if (algorithm === undefined)
    throw new TypeError(`no signature algorithm for ${key.asymmetricKeyType} keys`);
  return algorithm;
}

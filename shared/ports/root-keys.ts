import type { KeyObject } from "node:crypto";

/** What a CA, or the sender of a request, signs with. The key itself may be anywhere, so signing takes time and may fail. */
export interface SigningKey {
  readonly publicKey: KeyObject;
  readonly digest: "sha256" | "sha384" | "sha512";
  /** The signature as X.509 holds it: PKCS #1 v1.5 for RSA, DER for ECDSA. */
  sign(toBeSigned: Buffer): Promise<Buffer>;
}

/**
 * Where the key of a root is, as its payload says beside the certificate. `pem`: in the payload itself, unencrypted; the bytes are a
 * view into the payload, and go with it when that is wiped.
 */
export interface KeyReference {
  readonly kind: "pem";
  readonly text: Buffer;
}

/** The keys of roots. Only what signs, or judges a root that a person brings, may hold this port. */
export interface RootKeys {
  /** For the length of one call, whose signal ends signing, too. */
  open(reference: KeyReference, signal?: AbortSignal): Promise<SigningKey>;
}

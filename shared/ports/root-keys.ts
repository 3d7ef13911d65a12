import type { KeyObject } from "node:crypto";

/** Signs for a CA or a requester. The key may be elsewhere, so signing takes time and may fail. */
export interface SigningKey {
  readonly publicKey: KeyObject;
  readonly digest: "sha256" | "sha384" | "sha512";
  /** The signature as X.509 holds it: PKCS #1 v1.5 for RSA, DER for ECDSA. */
  sign(toBeSigned: Buffer): Promise<Buffer>;
}

/**
 * The place of a root's key, as its payload says beside the certificate. `pem`: in the payload itself,
 * unencrypted; `text` is a view into the payload, and is wiped with it.
 */
export interface KeyReference {
  readonly kind: "pem";
  readonly text: Buffer;
}

/** The keys of roots. Only code that signs, or that checks a root for `root import`, may hold this port. */
export interface RootKeys {
  /** For the length of one call; its signal ends signing, too. */
  open(reference: KeyReference, signal?: AbortSignal): Promise<SigningKey>;
}

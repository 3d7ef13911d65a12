import { createPrivateKey, createPublicKey, type KeyObject, sign as signWith } from "node:crypto";
import { promisify } from "node:util";
import { algorithmFor, type SignatureAlgorithm } from "./algorithm.ts";

/** What a CA, or the sender of a request, signs with. The key itself may be anywhere, so signing takes time and may fail. */
export interface SigningKey {
  readonly publicKey: KeyObject;
  readonly algorithm: SignatureAlgorithm;
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

/** Fails with whatever node:crypto says of a key that it cannot read. */
export async function openKey({ text }: KeyReference): Promise<SigningKey> {
  return await Promise.resolve(keyInMemory(createPrivateKey({ key: text, format: "pem" })));
}

const signInThreadPool = promisify(signWith);

/** A private key in node:crypto, which signs in libuv's thread pool: RSA takes milliseconds, and other clusters wait. */
export function keyInMemory(privateKey: KeyObject): SigningKey {
  const publicKey = createPublicKey(privateKey);
  const algorithm = algorithmFor(publicKey);
  return {
    publicKey,
    algorithm,
    sign: async (toBeSigned) => await signInThreadPool(algorithm.digest, toBeSigned, privateKey),
  };
}

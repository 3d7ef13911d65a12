import { createPrivateKey, createPublicKey, type KeyObject, sign as signWith } from "node:crypto";
import { promisify } from "node:util";
import type { RootKeys, SigningKey } from "../ports/root-keys.ts";
import { algorithmOf, digestFor } from "./algorithm.ts";

/** Keys that stand in the payloads themselves. `open` fails with whatever node:crypto says of a key that it cannot read. */
export const keysInPayloads: RootKeys = {
  async open({ text }) {
    return await Promise.resolve(keyInMemory(createPrivateKey({ key: text, format: "pem" })));
  },
};

const signInThreadPool = promisify(signWith);

/** A private key in node:crypto, which signs in libuv's thread pool: RSA takes milliseconds, and other clusters wait. */
export function keyInMemory(privateKey: KeyObject): SigningKey {
  const publicKey = createPublicKey(privateKey);
  const { digest } = algorithmOf({ publicKey, digest: digestFor(publicKey) });
  return {
    publicKey,
    digest,
    sign: async (toBeSigned) => await signInThreadPool(digest, toBeSigned, privateKey),
  };
}

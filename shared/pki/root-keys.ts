import { createPrivateKey, createPublicKey, type KeyObject, sign as signWith } from "node:crypto";
import { promisify } from "node:util";
import type { RootKeys, SigningKey } from "../ports/root-keys.ts";
import { algorithmOf, digestFor } from "./algorithm.ts";

/** Keys inside the payloads. `open` fails with the error of node:crypto for a key that it cannot read. */
export const keysInPayloads: RootKeys = {
  async open({ text }) {
    return await Promise.resolve(keyInMemory(createPrivateKey({ key: text, format: "pem" })));
  },
};

const signInThreadPool = promisify(signWith);

/** A private key in node:crypto. Signs in libuv's thread pool, because RSA takes milliseconds. */
export function keyInMemory(privateKey: KeyObject): SigningKey {
  const publicKey = createPublicKey(privateKey);
  const { digest } = algorithmOf({ publicKey, digest: digestFor(publicKey) });
  return {
    publicKey,
    digest,
    sign: async (toBeSigned) => await signInThreadPool(digest, toBeSigned, privateKey),
  };
}

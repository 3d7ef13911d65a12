import { generateKeyPairSync } from "node:crypto";
import { setImmediate as nextTurn } from "node:timers/promises";
import { describe, expect, it } from "@jest/globals";
import { UnavailableError } from "../../../shared/errors.ts";
import { parseCertificatePem } from "../../../shared/pki/certificate.ts";
import { issueIntermediate } from "../../../shared/pki/intermediate.ts";
import { makeKeyPair } from "../../../shared/pki/key.ts";
import { keyInMemory, keysInPayloads } from "../../../shared/pki/root-keys.ts";
import { isSignedBy } from "../../../shared/pki/signature.ts";
import type { SigningKey } from "../../../shared/ports/root-keys.ts";
import { aKeyPair, aRoot, aSigningRoot, DAY, NOW } from "../../support/pki/gen.ts";

const ALGORITHMS = ["ec-p256", "ec-p384", "rsa-2048"] as const;

async function issuedWith(key: SigningKey): Promise<string> {
  const { certificate } = await aSigningRoot();
  const { publicKey } = await aKeyPair("ec-p384");
  const order = { publicKey, clusterId: "cn-a", now: NOW, ttl: 90 * DAY, clockSkew: 300 };
  return await issueIntermediate({ ...order, root: { certificate, key } });
}

describe("a signing key", () => {
  it.each(ALGORITHMS)("in memory, of %s, signs what its public key verifies", async (algorithm) => {
    const { publicKey, privateKey } = await aKeyPair(algorithm);
    const key = keyInMemory(privateKey);
    expect(key.publicKey.equals(publicKey)).toBe(true);
    const { der } = parseCertificatePem(await issuedWith(key));
    expect(isSignedBy(der, publicKey)).toBe(true);
    expect(isSignedBy(der, (await makeKeyPair(algorithm)).publicKey)).toBe(false);
  });

  it("may be elsewhere: nothing but its public key, its digest and its signatures are asked for", async () => {
    const { publicKey, privateKey } = await aKeyPair();
    const inMemory = keyInMemory(privateKey);
    const asked: number[] = [];
    const remote: SigningKey = {
      publicKey,
      digest: inMemory.digest,
      async sign(toBeSigned) {
        await nextTurn();
        asked.push(toBeSigned.length);
        return await inMemory.sign(toBeSigned);
      },
    };
    const { der } = parseCertificatePem(await issuedWith(remote));
    expect(isSignedBy(der, publicKey)).toBe(true);
    expect(asked).toEqual([expect.any(Number)]);
  });

  it("that cannot be asked is the error of what it was to sign", async () => {
    const { privateKey } = await aKeyPair();
    const away = new UnavailableError("the key cannot be reached; try again", { code: "Unavailable" });
    const sign = async () => await Promise.reject(away);
    await expect(issuedWith({ ...keyInMemory(privateKey), sign })).rejects.toBe(away);
  });

  it("is opened from PEM in a payload, which may be wiped then", async () => {
    const text = Buffer.from((await aRoot()).privateKey);
    const key = await keysInPayloads.open({ kind: "pem", text });
    text.fill(0);
    const { der } = parseCertificatePem(await issuedWith(key));
    expect(isSignedBy(der, key.publicKey)).toBe(true);
  });

  it("of another kind than RSA or EC is refused", () => {
    expect(() => keyInMemory(generateKeyPairSync("ed25519").privateKey)).toThrow(TypeError);
  });
});

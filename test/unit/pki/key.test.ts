import { createPublicKey, generateKeyPairSync, type KeyObject } from "node:crypto";
import { describe, expect, it } from "@jest/globals";
import { KEY_ALGORITHMS, type KeyAlgorithm } from "../../../shared/core/spec.ts";
import { keyIdentifier, keyWeakness, makeKeyPair, subjectPublicKeyInfo } from "../../../shared/pki/key.ts";
import { aKeyPair } from "../../support/pki/gen.ts";
import { withOpenssl } from "../../support/pki/openssl.ts";

const DETAILS: Readonly<Record<KeyAlgorithm, object>> = {
  "ec-p256": { namedCurve: "prime256v1" },
  "ec-p384": { namedCurve: "secp384r1" },
  "rsa-2048": { modulusLength: 2048, publicExponent: 65_537n },
  "rsa-3072": { modulusLength: 3072, publicExponent: 65_537n },
  "rsa-4096": { modulusLength: 4096, publicExponent: 65_537n },
};

describe("makeKeyPair", () => {
  it.each(KEY_ALGORITHMS)(
    "makes a key of %s, strong enough by our own rule",
    async (algorithm) => {
      const { publicKey } = await makeKeyPair(algorithm);
      expect(publicKey.asymmetricKeyDetails).toEqual(DETAILS[algorithm]);
      expect(keyWeakness(publicKey)).toBeUndefined();
    },
    60_000,
  );

  it("lets the event loop go on meanwhile", async () => {
    let turns = 0;
    const timer = setInterval(() => {
      turns += 1;
    }, 1);
    await makeKeyPair("rsa-3072");
    clearInterval(timer);
    expect(turns).toBeGreaterThan(0);
  }, 60_000);
});

describe("keyWeakness", () => {
  it.each<[string, () => KeyObject, string]>([
    ["RSA of 1024 bits", () => generateKeyPairSync("rsa", { modulusLength: 1024 }).publicKey, "1024 bits"],
    [
      "RSA with exponent 3",
      () => generateKeyPairSync("rsa", { modulusLength: 2048, publicExponent: 3 }).publicKey,
      "exponent 3",
    ],
    ["RSA-PSS", () => generateKeyPairSync("rsa-pss", { modulusLength: 2048 }).publicKey, "type rsa-pss"],
    ["P-521", () => generateKeyPairSync("ec", { namedCurve: "secp521r1" }).publicKey, "curve secp521r1"],
    ["secp256k1", () => generateKeyPairSync("ec", { namedCurve: "secp256k1" }).publicKey, "curve secp256k1"],
    ["Ed25519", () => generateKeyPairSync("ed25519").publicKey, "type ed25519"],
  ])("refuses %s", (_, make, reason) => {
    expect(keyWeakness(make())).toContain(reason);
  });
});

describe("subjectPublicKeyInfo", () => {
  it("writes a compressed point uncompressed, since Go reads no other", () => {
    const compressed = withOpenssl(({ run, read }) => {
      run(
        "ecparam",
        "-name",
        "prime256v1",
        "-genkey",
        "-conv_form",
        "compressed",
        "-noout",
        "-out",
        "key.pem",
      );
      run("ec", "-in", "key.pem", "-pubout", "-conv_form", "compressed", "-out", "public.pem");
      return createPublicKey(read("public.pem"));
    });
    const der = subjectPublicKeyInfo(compressed);
    expect(der).toHaveLength(91);
    expect(der.subarray(26, 27)).toEqual(Buffer.of(4));
  });
});

describe("keyIdentifier", () => {
  it.each(["ec-p256", "rsa-2048"] as const)("is what openssl computes for %s", async (algorithm) => {
    const { publicKey, privateKey } = await aKeyPair(algorithm);
    const skid = withOpenssl(({ run, write }) => {
      write("key.pem", privateKey.export({ type: "pkcs8", format: "pem" }));
      run(
        "req",
        "-x509",
        "-new",
        "-key",
        "key.pem",
        "-subj",
        "/CN=x",
        "-addext",
        "subjectKeyIdentifier=hash",
        "-out",
        "c.pem",
      );
      return run("x509", "-in", "c.pem", "-noout", "-ext", "subjectKeyIdentifier");
    });
    const hex = keyIdentifier(subjectPublicKeyInfo(publicKey)).toString("hex").toUpperCase();
    expect(skid.replaceAll(":", "")).toContain(hex);
  });
});

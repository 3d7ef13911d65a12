import { describe, expect, it } from "@jest/globals";
import { bitString, encode, octetString, oid, sequence } from "../../../shared/pki/asn1.ts";
import { certificatePem } from "../../../shared/pki/bundle.ts";
import {
  basicConstraints,
  certificateSigning,
  EXTENSION,
  subjectKeyIdentifier,
} from "../../../shared/pki/extension.ts";
import { issueIntermediate } from "../../../shared/pki/intermediate.ts";
import { privateKeyPem } from "../../../shared/pki/key.ts";
import { type CacertsFiles, verifyCacerts, verifyNesting } from "../../../shared/pki/verify.ts";
import { aCa, aKeyPair, aRoot, aSigningRoot, DAY, NOW, type RootSeed } from "../../support/pki/gen.ts";

/** A good set under the root of `seed`. */
async function aCacerts(seed: RootSeed = {}, now: Date = NOW): Promise<CacertsFiles> {
  const root = await aSigningRoot({ algorithm: "ec-p384", ...seed });
  const { publicKey, privateKey } = await aKeyPair();
  const order = { root, publicKey, clusterId: "cn-a", now, ttl: 90 * DAY, clockSkew: 300 };
  const certificate = await issueIntermediate(order);
  const trustBundle = certificatePem(root.certificate.der);
  return {
    certificate,
    privateKey: privateKeyPem(privateKey),
    chain: certificate + trustBundle,
    trustBundle,
  };
}

async function aSetWith(change: Partial<CacertsFiles>): Promise<CacertsFiles> {
  return { ...(await aCacerts()), ...change };
}

describe("verifyCacerts", () => {
  it("finds nothing wrong with what we issue", async () => {
    expect(verifyCacerts(await aCacerts(), NOW)).toEqual([]);
  });

  it("finds nothing wrong when the root is one of several", async () => {
    const other = (await aRoot({ commonName: "other" })).certificate;
    const set = await aCacerts();
    expect(verifyCacerts({ ...set, trustBundle: other + set.trustBundle }, NOW, set.trustBundle)).toEqual([]);
  });

  it("knows which of two roots of one name has signed", async () => {
    const set = await aCacerts();
    const namesake = (await aRoot({ algorithm: "rsa-2048" })).certificate;
    expect(verifyCacerts({ ...set, trustBundle: namesake + set.trustBundle }, NOW)).toEqual([]);
  });

  it.each<[string, () => Promise<CacertsFiles>]>([
    ["CertificateMalformed", () => aSetWith({ certificate: "" })],
    ["KeyMalformed", () => aSetWith({ privateKey: "" })],
    ["UnknownIssuer", underSubRoot],
    [
      "KeyMismatch",
      async () => aSetWith({ privateKey: privateKeyPem((await aKeyPair("rsa-2048")).privateKey) }),
    ],
    ["ChainMalformed", () => aSetWith({ chain: "-----BEGIN CERTIFICATE-----" })],
    ["ChainMismatch", () => aSetWith({ chain: "" })],
    ["ChainMismatch", async () => aSetWith({ chain: (await aCacerts()).trustBundle })],
    ["BundleMalformed", () => aSetWith({ trustBundle: "" })],
    [
      "UnknownIssuer",
      async () => aSetWith({ trustBundle: (await aRoot({ commonName: "other" })).certificate }),
    ],
    [
      "SignatureInvalid",
      async () => aSetWith({ trustBundle: (await aRoot({ algorithm: "rsa-2048" })).certificate }),
    ],
    ["NotIntermediate", notIntermediate],
    [
      "AuthorityKeyMismatch",
      () => underReissuedRoot({ extensions: reissued(basicConstraints(), Buffer.alloc(20, 1)) }),
    ],
    ["RootNotCa", () => underReissuedRoot({ extensions: [basicConstraints(), onlyDigitalSignature()] })],
    ["RootPathLength", () => underReissuedRoot({ extensions: [basicConstraints(0), certificateSigning()] })],
    ["Expired", () => underReissuedRoot({ notAfter: new Date("2026-02-01T00:00:00Z") })],
    ["NotYetValid", () => aCacerts({}, new Date("2026-04-01T00:00:00Z"))],
    ["Expired", () => aCacerts({}, new Date("2025-06-01T00:00:00Z"))],
  ])("finds %s, and only that", async (reason, set) => {
    const faults = verifyCacerts(await set(), NOW);
    expect(faults).toEqual([{ reason, message: expect.stringMatching(/^[a-z].*[^.]$/) }]);
  });

  it("finds everything at once", async () => {
    const set = await aCacerts({}, new Date("2026-04-01T00:00:00Z"));
    const trustBundle = (await aRoot({ commonName: "other" })).certificate;
    const faults = verifyCacerts({ ...set, privateKey: "", chain: "", trustBundle }, NOW, set.trustBundle);
    expect(faults.map(({ reason }) => reason)).toEqual([
      "KeyMalformed",
      "ChainMismatch",
      "NotYetValid",
      "UnknownIssuer",
      "BundlesNotNested",
    ]);
  });
});

describe("verifyNesting", () => {
  it("refuses a straight swap of roots, which a running istiod drops", async () => {
    const [a, b] = [
      (await aRoot({ commonName: "a" })).certificate,
      (await aRoot({ commonName: "b" })).certificate,
    ];
    expect(verifyNesting(a, b)).toMatchObject({ reason: "BundlesNotNested" });
    expect(verifyNesting(a, a + b)).toBeUndefined();
    expect(verifyNesting(b + a, b)).toBeUndefined();
  });
});

/** Good for a foreign set alone: a root itself issues Meshjoin's own intermediates. */
async function underSubRoot(): Promise<CacertsFiles> {
  const root = await aRoot({ algorithm: "ec-p384" });
  const subRoot = await aCa({ by: root, commonName: "sub-root" });
  const { certificate, privateKey } = await aCa({ by: subRoot, pathLength: 0 });
  const chain = certificate + subRoot.certificate + root.certificate;
  return { certificate, privateKey, chain, trustBundle: root.certificate };
}

/** A leaf instead of a CA: the root's own name and key, without CA:TRUE. */
async function notIntermediate(): Promise<CacertsFiles> {
  const set = await aCacerts();
  const { certificate, privateKey } = await aRoot({
    algorithm: "ec-p384",
    extensions: [certificateSigning()],
  });
  return { ...set, certificate, privateKey, chain: certificate };
}

/** A good intermediate, but the bundle holds another certificate of the root's name and key. */
async function underReissuedRoot(seed: RootSeed): Promise<CacertsFiles> {
  return aSetWith({ trustBundle: (await aRoot({ algorithm: "ec-p384", ...seed })).certificate });
}

function reissued(constraints: ReturnType<typeof basicConstraints>, keyId: Buffer) {
  return [constraints, certificateSigning(), subjectKeyIdentifier(keyId)];
}

function onlyDigitalSignature() {
  return sequence(oid(EXTENSION.keyUsage), octetString(encode(bitString(Buffer.of(0b1000_0000), 7))));
}

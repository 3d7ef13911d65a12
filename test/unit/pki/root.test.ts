import { generateKeyPairSync } from "node:crypto";
import { describe, expect, it } from "@jest/globals";
import { UnavailableError } from "../../../shared/errors.ts";
import { bitString, encode, octetString, oid, sequence } from "../../../shared/pki/asn1.ts";
import { basicConstraints, certificateSigning, EXTENSION } from "../../../shared/pki/extension.ts";
import { pemOfDer } from "../../../shared/pki/pem.ts";
import { assertIssuing, readRootCertificate, readSigningRoot } from "../../../shared/pki/root.ts";
import { keysInPayloads } from "../../../shared/pki/root-keys.ts";
import { isSignedBy, signed } from "../../../shared/pki/signature.ts";
import {
  aKeyPair,
  aRoot,
  aSigningRoot,
  DAY,
  NOW,
  payloadOf,
  type RootFiles,
  type RootSeed,
} from "../../support/pki/gen.ts";
import {
  type KeyForm,
  type OpensslRootOptions,
  opensslRoot,
  withOpenssl,
} from "../../support/pki/openssl.ts";

const NAME = "version 3 of secret prod-root-ca";

describe("readSigningRoot", () => {
  it.each<[OpensslRootOptions["key"], KeyForm]>([
    ["rsa:2048", "PKCS#1"],
    ["rsa:2048", "PKCS#8"],
    ["P-256", "SEC1"],
    ["P-256", "PKCS#8"],
    ["P-384", "SEC1"],
    ["P-384", "PKCS#8"],
  ])("reads what openssl makes: %s as %s", async (key, form) => {
    const root = await readSigningRoot(payloadOf(opensslRoot({ key, form })), NAME, keysInPayloads);
    expect(root.key.publicKey.asymmetricKeyType).toBe(key === "rsa:2048" ? "rsa" : "ec");
    expect(root.certificate).toMatchObject({ isCa: true, pathLength: undefined, canSignCertificates: true });
  });

  it.each<[string, (files: RootFiles) => string]>([
    ["the key first", ({ certificate, privateKey }) => privateKey + certificate],
    ["CRLF", (files) => payloadOf(files).toString().replaceAll("\n", "\r\n")],
    [
      "text between the blocks",
      ({ certificate, privateKey }) => `the root\n${certificate}\nits key\n${privateKey}`,
    ],
    ["no newline at the end", (files) => payloadOf(files).toString().trimEnd()],
    [
      "EC parameters, as openssl ecparam writes them",
      (files) =>
        `-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n${payloadOf(files).toString()}`,
    ],
  ])("does not mind %s", async (_, write) => {
    const { key } = await readSigningRoot(Buffer.from(write(await aRoot())), NAME, keysInPayloads);
    expect(key.publicKey.equals((await aKeyPair()).publicKey)).toBe(true);
  });

  it.each<[string, string, () => Promise<string | Buffer>]>([
    ["RootPayloadMalformed", "nothing", async () => ""],
    ["RootPayloadMalformed", "a key alone", async () => (await aRoot()).privateKey],
    ["RootPayloadMalformed", "a certificate alone", async () => (await aRoot()).certificate],
    [
      "RootPayloadMalformed",
      "two certificates",
      async () => (await aRoot()).certificate + payloadOf(await aRoot()),
    ],
    ["RootPayloadMalformed", "two keys", async () => payloadOf(await aRoot()) + (await aRoot()).privateKey],
    ["RootPayloadMalformed", "a cut payload", async () => payloadOf(await aRoot()).subarray(0, -30)],
    [
      "RootPayloadMalformed",
      "a certificate of noise",
      async () => noise("CERTIFICATE") + (await aRoot()).privateKey,
    ],
    [
      "RootPayloadMalformed",
      "a key of noise",
      async () => (await aRoot()).certificate + noise("PRIVATE KEY"),
    ],
    ["RootPayloadMalformed", "DER", async () => Buffer.from((await aSigningRoot()).certificate.der)],
    [
      "RootKeyEncrypted",
      "an encrypted PKCS#8 key",
      () => encryptedRoot("pkcs8", "-topk8", "-v2", "aes-256-cbc"),
    ],
    ["RootKeyEncrypted", "an encrypted PKCS#1 key", () => encryptedRoot("rsa", "-traditional", "-aes256")],
    ["RootKeyMismatch", "another root's key", mismatched],
    ["RootNotCa", "CA:FALSE", () => payloadWith({ extensions: [notCa(), certificateSigning()] })],
    ["RootNotCa", "no basicConstraints", () => payloadWith({ extensions: [certificateSigning()] })],
    [
      "RootNotCa",
      "no keyCertSign",
      () => payloadWith({ extensions: [basicConstraints(), onlyDigitalSignature()] }),
    ],
    [
      "RootPathLength",
      "path length 0",
      () => payloadWith({ extensions: [basicConstraints(0), certificateSigning()] }),
    ],
    [
      "RootAlgorithm",
      "RSA of 1024 bits",
      () => payloadWith({ pair: generateKeyPairSync("rsa", { modulusLength: 1024 }) }),
    ],
    ["RootAlgorithm", "Ed25519", async () => opensslEd25519()],
  ])("refuses with %s: %s", async (code, _, payload) => {
    const bytes = Buffer.from(await payload());
    await expect(readSigningRoot(bytes, NAME, keysInPayloads)).rejects.toEqual(
      expect.objectContaining({
        name: "RootError",
        code,
        retryable: false,
        message: expect.stringMatching(/^version 3 of secret prod-root-ca .*[^.]$/),
        cure: expect.stringMatching(/^[a-z].*[^.]$/),
      }),
    );
  });

  it.each([1, 2])("accepts path length %i", async (pathLength) => {
    const payload = await payloadWith({ extensions: [basicConstraints(pathLength), certificateSigning()] });
    expect((await readSigningRoot(payload, NAME, keysInPayloads)).certificate.pathLength).toBe(pathLength);
  });

  it("accepts a root without keyUsage, which restricts nothing", async () => {
    const payload = await payloadWith({ extensions: [basicConstraints()] });
    expect((await readSigningRoot(payload, NAME, keysInPayloads)).certificate.canSignCertificates).toBe(true);
  });

  it("says nothing of a key that it cannot read", async () => {
    const { certificate, privateKey } = await aRoot();
    const broken = privateKey.replace(/\n.{10}/, "\nAAAAAAAAAA");
    const secret = broken.split("\n")[1] ?? "";
    const error = await thrownBy(readSigningRoot(Buffer.from(certificate + broken), NAME, keysInPayloads));
    expect(secret.length).toBeGreaterThan(20);
    expect(`${error.stack} ${JSON.stringify(error, Object.getOwnPropertyNames(error))}`).not.toContain(
      secret,
    );
    expect(error.cause).toBeUndefined();
  });

  it("is not refused in other words than those of what keeps its key", async () => {
    const away = new UnavailableError("the key cannot be reached", { code: "Unavailable" });
    const keys = { open: async () => await Promise.reject(away) };
    await expect(readSigningRoot(payloadOf(await aRoot()), NAME, keys)).rejects.toBe(away);
  });

  it("keeps working when the payload is wiped", async () => {
    const payload = payloadOf(await aRoot());
    const { certificate, key } = await readSigningRoot(payload, NAME, keysInPayloads);
    payload.fill(0);
    const csr = await signed(sequence(), key);
    expect(isSignedBy(csr, (await aKeyPair()).publicKey)).toBe(true);
    expect(certificate.publicKey.equals((await aKeyPair()).publicKey)).toBe(true);
  });
});

describe("readRootCertificate", () => {
  it("needs no key", async () => {
    const { certificate } = await aRoot();
    expect(readRootCertificate(Buffer.from(certificate), NAME).isCa).toBe(true);
  });

  it("reads an expired root: members keep it until it is retired", async () => {
    const payload = await payloadWith({ notAfter: new Date("2026-01-02T00:00:00Z") });
    expect(readRootCertificate(payload, NAME).notAfter.getTime()).toBeLessThan(NOW.getTime());
  });
});

describe("assertIssuing", () => {
  it.each([
    ["RootExpired", "2026-01-01T00:00:00Z", "2026-03-01T11:59:59Z"],
    ["RootNotYetValid", "2026-03-01T12:00:01Z", "2036-01-01T00:00:00Z"],
    ["RootExpiring", "2026-01-01T00:00:00Z", "2026-03-07T11:59:59Z"],
  ])("refuses with %s a root valid from %s to %s", async (code, notBefore, notAfter) => {
    const { certificate } = await aSigningRoot({
      notBefore: new Date(notBefore),
      notAfter: new Date(notAfter),
    });
    expect(() => assertIssuing(certificate, NAME, NOW, 6 * DAY)).toThrow(expect.objectContaining({ code }));
  });

  it.each([
    ["2026-03-01T12:00:00Z", "2036-01-01T00:00:00Z"],
    ["2026-01-01T00:00:00Z", "2026-03-07T12:00:00Z"],
  ])("lets a root sign that is valid from %s to %s", async (notBefore, notAfter) => {
    const { certificate } = await aSigningRoot({
      notBefore: new Date(notBefore),
      notAfter: new Date(notAfter),
    });
    expect(() => assertIssuing(certificate, NAME, NOW, 6 * DAY)).not.toThrow();
  });
});

async function payloadWith(seed: RootSeed): Promise<Buffer> {
  return payloadOf(await aRoot(seed));
}

function noise(label: string): string {
  return pemOfDer(label, Buffer.from("this is nothing at all"));
}

async function mismatched(): Promise<string> {
  const { certificate } = await aRoot();
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "prime256v1" });
  return certificate + privateKey.export({ type: "pkcs8", format: "pem" }).toString();
}

async function encryptedRoot(command: string, ...options: string[]): Promise<string> {
  const { certificate, privateKey } = opensslRoot({ key: "rsa:2048" });
  return withOpenssl(({ run, write, read }) => {
    write("key.pem", privateKey);
    run(command, "-in", "key.pem", ...options, "-passout", "pass:correct horse", "-out", "locked.pem");
    return certificate + read("locked.pem");
  });
}

function opensslEd25519(): string {
  return withOpenssl(({ run, read }) => {
    run("genpkey", "-algorithm", "ed25519", "-out", "key.pem");
    run(
      "req",
      "-x509",
      "-new",
      "-key",
      "key.pem",
      "-subj",
      "/CN=x",
      "-addext",
      "keyUsage=keyCertSign",
      "-out",
      "c.pem",
    );
    return read("c.pem") + read("key.pem");
  });
}

function notCa() {
  return sequence(oid(EXTENSION.basicConstraints), octetString(encode(sequence())));
}

function onlyDigitalSignature() {
  return sequence(oid(EXTENSION.keyUsage), octetString(encode(bitString(Buffer.of(0b1000_0000), 7))));
}

async function thrownBy(act: Promise<unknown>): Promise<Error> {
  try {
    await act;
  } catch (error) {
    if (error instanceof Error) return error;
  }
  throw new Error("nothing was thrown");
}

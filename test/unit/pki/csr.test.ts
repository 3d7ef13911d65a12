import { generateKeyPairSync } from "node:crypto";
import { beforeAll, describe, expect, it } from "@jest/globals";
import { makeCsr, readCsr } from "../../../shared/pki/csr.ts";
import { pemOfDer } from "../../../shared/pki/pem.ts";
import { aKeyPair, aRoot } from "../../support/pki/gen.ts";
import { withOpenssl } from "../../support/pki/openssl.ts";

const ALGORITHMS = ["ec-p256", "ec-p384", "rsa-2048"] as const;

function opensslCsr(...args: string[]): string {
  return withOpenssl(({ run }) =>
    run("req", "-new", "-nodes", "-subj", "/CN=x", "-keyout", "key.pem", ...args),
  );
}

describe("makeCsr", () => {
  it.each(ALGORITHMS)("makes a request of %s that openssl verifies", async (algorithm) => {
    const csr = await makeCsr(await aKeyPair(algorithm), "cn-shop-europe-west1-one");
    const subject = withOpenssl(({ run, write }) => {
      write("request.pem", csr);
      return run("req", "-in", "request.pem", "-verify", "-noout", "-subject");
    });
    expect(subject).toContain("CN = cn-shop-europe-west1-one");
  });
});

describe("readCsr", () => {
  it.each(ALGORITHMS)("answers the public key of our own request of %s", async (algorithm) => {
    const pair = await aKeyPair(algorithm);
    expect(readCsr(await makeCsr(pair, "x")).equals(pair.publicKey)).toBe(true);
  });

  it.each([
    ["RSA", ["-newkey", "rsa:2048"]],
    ["RSA with SHA-512", ["-newkey", "rsa:2048", "-sha512"]],
    ["P-384", ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-384"]],
    [
      "extensions",
      ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-addext", "basicConstraints=CA:TRUE"],
    ],
  ])("reads a request that openssl made: %s", (_, args) => {
    expect(readCsr(opensslCsr(...args)).type).toBe("public");
  });

  describe("refuses", () => {
    let good: string;
    let certificate: string;
    beforeAll(async () => {
      good = await makeCsr(await aKeyPair(), "x");
      ({ certificate } = await aRoot());
    });

    it.each<[string, () => string | Promise<string>, string]>([
      ["nothing", () => "", "CsrMalformed"],
      ["text", () => "please sign", "CsrMalformed"],
      ["a certificate", () => certificate, "CsrMalformed"],
      ["two requests", () => good + good, "CsrMalformed"],
      ["a request without an end", () => good.slice(0, 200), "CsrMalformed"],
      ["what is no base64", () => good.replace(/[A-Za-z]/g, "*"), "CsrMalformed"],
      ["what is no ASN.1", () => pemOfDer("CERTIFICATE REQUEST", Buffer.from("hello")), "CsrMalformed"],
      [
        "trailing bytes",
        () => pemOfDer("CERTIFICATE REQUEST", Buffer.concat([derOf(good), Buffer.of(0)])),
        "CsrMalformed",
      ],
      [
        "a changed subject",
        () => pemOfDer("CERTIFICATE REQUEST", changed(derOf(good))),
        "CsrSignatureInvalid",
      ],
      ["RSA of 1024 bits", () => opensslCsr("-newkey", "rsa:1024"), "CsrKeyRefused"],
      ["Ed25519", () => opensslCsr("-newkey", "ed25519"), "CsrKeyRefused"],
      ["P-521", () => opensslCsr("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-521"), "CsrKeyRefused"],
      ["a SHA-1 signature", () => opensslCsr("-newkey", "rsa:2048", "-sha1"), "CsrSignatureInvalid"],
      ["a signature by another key", signedByAnother, "CsrSignatureInvalid"],
    ])("%s", async (_, request, code) => {
      const pem = await request();
      expect(() => readCsr(pem)).toThrow(expect.objectContaining({ name: "InputError", code, field: "csr" }));
    });
  });
});

function derOf(pem: string): Buffer {
  return Buffer.from(pem.replace(/-----[^-]+-----/g, ""), "base64");
}

/** The common name is one character; it becomes another. */
function changed(der: Buffer): Buffer {
  const copy = Buffer.from(der);
  copy.write("y", copy.indexOf(Buffer.from([0x0c, 0x01, 0x78])) + 2);
  return copy;
}

async function signedByAnother(): Promise<string> {
  const [mine, other] = [1, 2].map(() => generateKeyPairSync("ec", { namedCurve: "prime256v1" }));
  if (mine === undefined || other === undefined) throw new Error("two pairs were made");
  return await makeCsr({ publicKey: mine.publicKey, privateKey: other.privateKey }, "x");
}

import { X509Certificate } from "node:crypto";
import { describe, expect, it } from "@jest/globals";
import { parseBundle, parseCertificate, parseCertificatePem } from "../../../shared/pki/certificate.ts";
import { aRoot, aSigningRoot } from "../../support/pki/gen.ts";
import { opensslRoot, withOpenssl } from "../../support/pki/openssl.ts";

describe("parseCertificatePem", () => {
  it.each(["rsa:2048", "P-256", "P-384"] as const)("agrees with node:crypto about a root of %s", (key) => {
    const { certificate } = opensslRoot({ key });
    const x509 = new X509Certificate(certificate);
    const parsed = parseCertificatePem(certificate);
    expect(parsed).toMatchObject({
      fingerprint: x509.fingerprint256.replaceAll(":", "").toLowerCase(),
      notBefore: new Date(x509.validFrom),
      notAfter: new Date(x509.validTo),
      isCa: x509.ca,
    });
    expect(BigInt(`0x${parsed.serial}`)).toBe(BigInt(`0x${x509.serialNumber}`));
  });

  it("reads a version 1 certificate, which is no authority", () => {
    const certificate = withOpenssl(({ run, read }) => {
      run(
        "req",
        "-new",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-keyout",
        "key.pem",
        "-subj",
        "/CN=old",
        "-out",
        "r.pem",
      );
      run("x509", "-req", "-in", "r.pem", "-key", "key.pem", "-days", "10", "-out", "c.pem");
      return read("c.pem");
    });
    expect(parseCertificatePem(certificate)).toMatchObject({ isCa: false, authorityKeyId: undefined });
  });

  it.each<[string, () => Promise<string>]>([
    ["nothing", async () => ""],
    ["two certificates", async () => (await aRoot()).certificate.repeat(2)],
    ["a key", async () => (await aRoot()).privateKey],
    ["a certificate without its end", async () => (await aRoot()).certificate.slice(0, -40)],
    ["a certificate without its middle", async () => (await aRoot()).certificate.replace(/\n.{64}\n/, "\n")],
  ])("fails by name on %s", async (_, pem) => {
    const text = await pem();
    expect(() => parseCertificatePem(text)).toThrow(
      expect.objectContaining({ name: "InputError", code: "CertificateMalformed", field: "certificate" }),
    );
  });

  it("refuses BER: bytes that were written differently would not hash or compare the same", async () => {
    const { der } = (await aSigningRoot()).certificate;
    const indefinite = Buffer.concat([Buffer.of(0x30, 0x80), der.subarray(4), Buffer.of(0, 0)]);
    expect(() => parseCertificate(indefinite)).toThrow(
      expect.objectContaining({ code: "CertificateMalformed" }),
    );
  });
});

describe("parseBundle", () => {
  it("keeps the order", async () => {
    const [a, b] = [await aRoot({ commonName: "a" }), await aRoot({ commonName: "b" })];
    const fingerprints = parseBundle(b.certificate + a.certificate).map(({ fingerprint }) => fingerprint);
    expect(fingerprints).toEqual(
      [b, a].map(({ certificate }) => parseCertificatePem(certificate).fingerprint),
    );
  });

  it("has nothing in an empty file", () => {
    expect(parseBundle("")).toEqual([]);
  });
});

import { describe, expect, it } from "@jest/globals";
import { parseCertificatePem } from "../../../shared/pki/certificate.ts";
import { makeRoot } from "../../../shared/pki/make-root.ts";
import { assertIssuing, readSigningRoot } from "../../../shared/pki/root.ts";
import { keysInPayloads } from "../../../shared/pki/root-keys.ts";
import { certificateFacts } from "../../support/pki/certificate-facts.ts";
import { DAY, NOW, payloadOf } from "../../support/pki/gen.ts";
import { withOpenssl } from "../../support/pki/openssl.ts";

describe("makeRoot", () => {
  it.each(["ec-p384", "rsa-4096"] as const)(
    "makes a root of %s that can sign, and that openssl accepts as strict",
    async (algorithm) => {
      const files = await makeRoot({ organization: "prod", algorithm, now: NOW });
      const { certificate } = await readSigningRoot(payloadOf(files), "the new root", keysInPayloads);
      expect(() => assertIssuing(certificate, "the new root", NOW, 6 * DAY)).not.toThrow();
      const output = withOpenssl(({ run, write }) => {
        write("root.pem", files.certificate);
        return run(
          "verify",
          "-x509_strict",
          "-check_ss_sig",
          "-attime",
          String(NOW.getTime() / 1000),
          "-CAfile",
          "root.pem",
          "root.pem",
        );
      });
      expect(output).toContain("root.pem: OK");
    },
    60_000,
  );

  it("is named after its mesh, self-issued, and valid for ten years", async () => {
    const { certificate } = await makeRoot({ organization: "prod", now: NOW });
    const parsed = parseCertificatePem(certificate);
    const facts = certificateFacts(parsed.der);
    expect(facts).toEqual({
      version: "a003020102",
      serial: expect.stringMatching(/^[4-7][0-9a-f]{31}$/),
      algorithms: ["300a06082a8648ce3d040303", "300a06082a8648ce3d040303"],
      issuer: facts.subject,
      // O=prod, CN=Root CA and eight digits of its key's identifier.
      subject: expect.stringMatching(
        /^302a310d300b060355040a0c0470726f643119301706035504030c10526f6f7420434120(?:3\d|6[1-6]){8}$/,
      ),
      validity: ["17 260301115500Z", "17 360301120000Z"],
      publicKey: expect.any(String),
      extensions: [
        { id: "2.5.29.19", critical: true, value: "30030101ff" },
        { id: "2.5.29.15", critical: true, value: "03020106" },
        { id: "2.5.29.14", critical: false, value: `0414${parsed.subjectKeyId.toString("hex")}` },
      ],
    });
  });

  it("never makes the same root twice", async () => {
    const [one, two] = await Promise.all([makeRoot({ now: NOW }), makeRoot({ now: NOW })]);
    expect(one?.privateKey).not.toBe(two?.privateKey);
    expect(one?.certificate).not.toBe(two?.certificate);
  });
});

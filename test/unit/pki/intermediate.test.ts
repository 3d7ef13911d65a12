import { execFileSync } from "node:child_process";
import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import type { KeyAlgorithm } from "../../../shared/core/spec.ts";
import { parseCertificatePem } from "../../../shared/pki/certificate.ts";
import { basicConstraints, certificateSigning } from "../../../shared/pki/extension.ts";
import { issueIntermediate } from "../../../shared/pki/intermediate.ts";
import { keyIdentifier, subjectPublicKeyInfo } from "../../../shared/pki/key.ts";
import { readSigningRoot, type SigningRoot } from "../../../shared/pki/root.ts";
import { keysInPayloads } from "../../../shared/pki/root-keys.ts";
import { randomSerial } from "../../../shared/pki/sign-certificate.ts";
import { certificateFacts } from "../../support/pki/certificate-facts.ts";
import { aKeyPair, aSigningRoot, DAY, NOW, payloadOf } from "../../support/pki/gen.ts";
import { type OpensslRootOptions, opensslRoot, withOpenssl } from "../../support/pki/openssl.ts";

const CLUSTER_ID = "cn-shop-europe-west1-one";
const ROOTS = ["rsa-2048", "ec-p256", "ec-p384"] as const;
const INTERMEDIATES = ["rsa-2048", "rsa-4096", "ec-p256", "ec-p384"] as const;
const COMBINATIONS = ROOTS.flatMap((root) => INTERMEDIATES.map((key) => [root, key] as const));

/** AlgorithmIdentifiers: RSA has a NULL (RFC 4055), ECDSA nothing (RFC 5758). */
const SIGNATURES: Readonly<Record<(typeof ROOTS)[number], string>> = {
  "rsa-2048": "300d06092a864886f70d01010b0500",
  "ec-p256": "300a06082a8648ce3d040302",
  "ec-p384": "300a06082a8648ce3d040303",
};

interface Order {
  readonly root: SigningRoot;
  readonly key?: KeyAlgorithm;
  readonly now?: Date;
  readonly ttl?: number;
}

async function issue({ root, key, now = NOW, ttl = 90 * DAY }: Order): Promise<string> {
  const { publicKey } = await aKeyPair(key);
  return await issueIntermediate({ root, publicKey, clusterId: CLUSTER_ID, now, ttl, clockSkew: 300 });
}

describe("issueIntermediate", () => {
  it.each(COMBINATIONS)(
    "makes exactly this certificate under a root of %s for a key of %s",
    async (rootAlgorithm, key) => {
      const root = await aSigningRoot({ algorithm: rootAlgorithm });
      const { publicKey } = await aKeyPair(key);
      const spki = subjectPublicKeyInfo(publicKey);
      const { der } = parseCertificatePem(await issue({ root, key }));
      expect(certificateFacts(der)).toEqual({
        version: "a003020102",
        serial: expect.stringMatching(/^[4-7][0-9a-f]{31}$/),
        algorithms: [SIGNATURES[rootAlgorithm], SIGNATURES[rootAlgorithm]],
        issuer: root.certificate.subject.toString("hex"),
        subject: nameHex([
          ["55040a", "Istio"],
          ["550403", "Intermediate CA"],
          ["550407", CLUSTER_ID],
        ]),
        validity: ["17 260301115500Z", "17 260530120000Z"],
        publicKey: spki.toString("hex"),
        extensions: [
          { id: "2.5.29.19", critical: true, value: "30060101ff020100" },
          { id: "2.5.29.15", critical: true, value: "03020106" },
          { id: "2.5.29.14", critical: false, value: `0414${keyIdentifier(spki).toString("hex")}` },
          {
            id: "2.5.29.35",
            critical: false,
            value: `30168014${root.certificate.subjectKeyId.toString("hex")}`,
          },
          {
            id: "2.5.29.17",
            critical: false,
            value: `30198217${Buffer.from("istiod.istio-system.svc").toString("hex")}`,
          },
        ],
      });
    },
    60_000,
  );

  it.each(COMBINATIONS)(
    "satisfies openssl's strict check under a root of %s for a key of %s",
    async (algorithm, key) => {
      const root = await aSigningRoot({ algorithm });
      expect(strictlyVerified(pemOf(root), await issue({ root, key }))).toContain("i.pem: OK");
    },
    60_000,
  );

  it.each<[string, OpensslRootOptions]>([
    ["UTF8String", { key: "rsa:2048", stringMask: "utf8only" }],
    ["PrintableString", { key: "rsa:2048", stringMask: "nombstr" }],
    ["PrintableString under EC", { key: "P-256", stringMask: "nombstr", form: "SEC1" }],
    ["characters outside ASCII", { key: "P-384", subject: "/O=Müller & Söhne/CN=根" }],
    ["several values in one RDN", { key: "P-256", subject: "/O=Example/CN=Root+OU=Mesh" }],
    ["an e-mail address (IA5String)", { key: "P-256", subject: "/CN=Root/emailAddress=ca@example.com" }],
  ])("copies the issuer's name byte for byte: %s", async (_, options) => {
    const root = await readSigningRoot(payloadOf(opensslRoot(options)), "openssl's root", keysInPayloads);
    const certificate = await issue({ root, now: new Date(root.certificate.notBefore.getTime() + 1000) });
    expect(parseCertificatePem(certificate).issuer).toEqual(root.certificate.subject);
    expect(root.certificate.der.includes(root.certificate.subject)).toBe(true);
    expect(strictlyVerified(pemOf(root), certificate, root.certificate.notBefore)).toContain("i.pem: OK");
  });

  it("computes the authority key identifier where the root has no subject key identifier", async () => {
    const root = await aSigningRoot({ extensions: [basicConstraints(), certificateSigning()] });
    const spki = subjectPublicKeyInfo((await aKeyPair()).publicKey);
    expect(parseCertificatePem(await issue({ root })).authorityKeyId).toEqual(keyIdentifier(spki));
  });

  it.each([
    [
      "90 days",
      "2026-01-01T00:00:00Z",
      "2036-01-01T00:00:00Z",
      "2026-03-01T12:00:00Z",
      ["17 260301115500Z", "17 260530120000Z"],
    ],
    [
      "no longer than the root",
      "2026-01-01T00:00:00Z",
      "2026-04-01T00:00:00Z",
      "2026-03-01T12:00:00Z",
      ["17 260301115500Z", "17 260401000000Z"],
    ],
    [
      "not before the root",
      "2026-03-01T11:59:00Z",
      "2036-01-01T00:00:00Z",
      "2026-03-01T12:00:00Z",
      ["17 260301115900Z", "17 260530120000Z"],
    ],
    [
      "whole seconds",
      "2026-01-01T00:00:00Z",
      "2036-01-01T00:00:00Z",
      "2026-03-01T12:00:00.999Z",
      ["17 260301115500Z", "17 260530120000Z"],
    ],
    [
      "UTCTime to the end of 2049",
      "2026-01-01T00:00:00Z",
      "2060-01-01T00:00:00Z",
      "2049-10-02T23:59:59Z",
      ["17 491002235459Z", "17 491231235959Z"],
    ],
    [
      "GeneralizedTime from 2050 on",
      "2026-01-01T00:00:00Z",
      "2060-01-01T00:00:00Z",
      "2049-10-03T00:00:00Z",
      ["17 491002235500Z", "18 20500101000000Z"],
    ],
    [
      "GeneralizedTime for both",
      "2026-01-01T00:00:00Z",
      "2060-01-01T00:00:00Z",
      "2055-03-01T12:00:00Z",
      ["18 20550301115500Z", "18 20550530120000Z"],
    ],
    [
      "the root's own end beyond 9999",
      "2026-01-01T00:00:00Z",
      "9999-12-31T23:59:59Z",
      "2026-03-01T12:00:00Z",
      ["17 260301115500Z", "17 260530120000Z"],
    ],
  ])("is valid for %s", async (_, notBefore, notAfter, now, validity) => {
    const root = await aSigningRoot({ notBefore: new Date(notBefore), notAfter: new Date(notAfter) });
    const { der } = parseCertificatePem(await issue({ root, now: new Date(now) }));
    expect(certificateFacts(der).validity).toEqual(validity);
  });

  it("never outlives its root, nor precedes it, and is never valid for more than was asked", async () => {
    const { publicKey } = await aKeyPair();
    const template = await aSigningRoot();
    const moment = fc.date({ min: new Date("2020-01-01"), max: new Date("2080-01-01"), noInvalidDate: true });
    await fc.assert(
      fc.asyncProperty(
        fc.tuple(moment, moment, moment).map((dates) => dates.toSorted((a, b) => a.getTime() - b.getTime())),
        fc.integer({ min: 1, max: 400 * DAY }),
        fc.integer({ min: 0, max: 3600 }),
        async ([notBefore = NOW, now = NOW, notAfter = NOW], ttl, clockSkew) => {
          const root = {
            ...template,
            certificate: {
              ...template.certificate,
              notBefore: seconds(notBefore),
              notAfter: seconds(notAfter),
            },
          };
          const pem = await issueIntermediate({
            root,
            publicKey,
            clusterId: CLUSTER_ID,
            now,
            ttl,
            clockSkew,
          });
          const issued = parseCertificatePem(pem);
          expect(issued.notAfter <= root.certificate.notAfter).toBe(true);
          expect(issued.notBefore >= root.certificate.notBefore).toBe(true);
          expect(issued.notAfter.getTime()).toBeLessThanOrEqual(now.getTime() + ttl * 1000);
          expect(issued.notBefore <= now).toBe(true);
        },
      ),
    );
  });

  it.each(["Pacific/Kiritimati", "America/Los_Angeles", "Asia/Kathmandu"])("writes UTC in %s", (TZ) => {
    const asn1 = new URL("../../../shared/pki/asn1.ts", import.meta.url).href;
    const script = `import { encode, time, timeOf } from ${JSON.stringify(asn1)};
      const nodes = ["2026-03-29T01:30:00Z", "2050-10-30T01:30:00Z"].map((text) => time(new Date(text)));
      console.log(JSON.stringify(nodes.map((node) => [encode(node).toString("latin1").slice(2), timeOf(node)])));`;
    const output = execFileSync(process.execPath, ["--input-type=module", "-e", script], {
      env: { ...process.env, TZ },
      encoding: "utf8",
    });
    expect(JSON.parse(output)).toEqual([
      ["260329013000Z", "2026-03-29T01:30:00.000Z"],
      ["20501030013000Z", "2050-10-30T01:30:00.000Z"],
    ]);
  });
});

describe("randomSerial", () => {
  it("is positive, of 16 octets, and never the same", () => {
    const serials = Array.from({ length: 1000 }, () => randomSerial());
    expect(
      serials.every((serial) => serial.length === 16 && (serial[0] ?? 0) >= 0x40 && (serial[0] ?? 0) < 0x80),
    ).toBe(true);
    expect(new Set(serials.map((serial) => serial.toString("hex"))).size).toBe(1000);
  });
});

function seconds(date: Date): Date {
  return new Date(Math.floor(date.getTime() / 1000) * 1000);
}

function nameHex(attributes: readonly (readonly [oidHex: string, value: string])[]): string {
  const wrap = (tag: number, inner: Buffer) => Buffer.concat([Buffer.of(tag, inner.length), inner]);
  const relative = attributes.map(([oidHex, value]) =>
    wrap(
      0x31,
      wrap(0x30, Buffer.concat([wrap(0x06, Buffer.from(oidHex, "hex")), wrap(0x0c, Buffer.from(value))])),
    ),
  );
  return wrap(0x30, Buffer.concat(relative)).toString("hex");
}

function pemOf({ certificate }: SigningRoot): string {
  return `-----BEGIN CERTIFICATE-----\n${certificate.der.toString("base64").replace(/.{64}/g, "$&\n")}\n-----END CERTIFICATE-----\n`;
}

/** openssl's own X.509 check with RFC 5280's rules on; at the time of the test, not of the clock. */
function strictlyVerified(root: string, intermediate: string, at: Date = NOW): string {
  return withOpenssl(({ run, write }) => {
    write("root.pem", root);
    write("i.pem", intermediate);
    const time = String(Math.floor(at.getTime() / 1000) + 2);
    return run("verify", "-x509_strict", "-check_ss_sig", "-attime", time, "-CAfile", "root.pem", "i.pem");
  });
}

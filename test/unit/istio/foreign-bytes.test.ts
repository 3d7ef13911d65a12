import { beforeAll, describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { parseGoDuration } from "../../../shared/core/duration.ts";
import { MeshjoinError } from "../../../shared/errors.ts";
import { judgeCacerts } from "../../../shared/istio/foreign-cacerts.ts";
import { renderKubeconfig, tokenOfKubeconfig } from "../../../shared/istio/kubeconfig.ts";
import { controlPlaneIdentity, ownCacerts, remoteSecretState } from "../../../shared/istio/member-state.ts";
import { publishedRoots, rootCertificates } from "../../../shared/istio/root-config-map.ts";
import { sharing } from "../../../shared/istio/same-text.ts";
import { workloadTtl } from "../../../shared/istio/workload.ts";
import { certificatePem, splitBundle } from "../../../shared/pki/bundle.ts";
import { parseBundle, parseCertificate, parseCertificatePem } from "../../../shared/pki/certificate.ts";
import { verifyPath } from "../../../shared/pki/path.ts";
import { isSignedBy } from "../../../shared/pki/signature.ts";
import type { KubernetesObject } from "../../../shared/ports/kubernetes-object.ts";
import type { MemberApi } from "../../../shared/ports/member-api.ts";
import { aCa, aRoot, NOW, type RootFiles } from "../../support/pki/gen.ts";

let root: RootFiles;
let intermediate: RootFiles;
let ders: readonly Buffer[];
beforeAll(async () => {
  root = await aRoot({ algorithm: "ec-p384", commonName: "root" });
  intermediate = await aCa({ by: root, pathLength: 0 });
  const rsa = await aRoot({ algorithm: "rsa-2048", commonName: "rsa" });
  ders = [root, intermediate, rsa].flatMap(({ certificate }) => splitBundle(certificate));
});

interface Edit {
  readonly at: number;
  readonly cut: number;
  readonly put: Uint8Array;
}

/** A few bytes cut, changed or put in anywhere. */
const EDITS = fc.array(
  fc.record({
    at: fc.double({ min: 0, max: 1, noNaN: true }),
    cut: fc.integer({ min: 0, max: 4 }),
    put: fc.uint8Array({ maxLength: 4 }),
  }),
  { minLength: 1, maxLength: 3 },
);

function edited(bytes: Buffer, edits: readonly Edit[]): Buffer {
  return edits.reduce((before, { at, cut, put }) => {
    const position = Math.floor(at * before.length);
    return Buffer.concat([before.subarray(0, position), put, before.subarray(position + cut)]);
  }, bytes);
}

/**
 * Where an ECDSA signature begins, which ends the certificate: BIT STRING, its length, no unused bits,
 * SEQUENCE.
 */
function bitStringAt(bytes: Buffer): number {
  const starts = Array.from({ length: 127 }, (_, length) => bytes.length - length - 2);
  const start = starts.find(
    (each) => bytes.subarray(each).indexOf(Uint8Array.of(0x03, bytes.length - each - 2, 0x00, 0x30)) === 0,
  );
  if (start === undefined) throw new Error("no signature");
  return start;
}

const RUNS = { numRuns: 500 };
const WHICH = fc.integer({ min: 0, max: 2 });
const der = (which: number): Buffer => ders[which] ?? Buffer.alloc(0);
const encoded = (bytes: Uint8Array | string): string => Buffer.from(bytes).toString("base64");

describe("a signature", () => {
  it("is good on no bytes at all, and on no certificate that was edited", () => {
    const key = () => parseCertificatePem(root.certificate).publicKey;
    expect(isSignedBy(der(1), key())).toBe(true);
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        expect(isSignedBy(Buffer.from(bytes), key())).toBe(false);
      }),
      RUNS,
    );
    fc.assert(
      fc.property(EDITS, (edits) => {
        const changed = edited(der(1), edits);
        expect(isSignedBy(changed, key())).toBe(changed.equals(der(1)));
      }),
      RUNS,
    );
  });

  it.each([
    ["the whole", 0],
    ["the signature", -1],
  ])("is none where the tag of %s is another", (_, part) => {
    const bytes = Buffer.from(der(1));
    const start = part === 0 ? 0 : bitStringAt(bytes);
    bytes[start] = (bytes[start] ?? 0) === 0x30 ? 0xa0 : 0x04;
    expect(isSignedBy(bytes, parseCertificatePem(root.certificate).publicKey)).toBe(false);
  });

  it("with unused bits in it is none", () => {
    const bytes = Buffer.from(der(1));
    const start = bitStringAt(bytes);
    expect(bytes[start + 2]).toBe(0);
    bytes[start + 2] = 1;
    expect(isSignedBy(bytes, parseCertificatePem(root.certificate).publicKey)).toBe(false);
  });
});

describe("certificates", () => {
  it("are read, or refused with an error of ours, whatever the bytes are", () => {
    const bytes = fc.oneof(
      fc.uint8Array(),
      fc.tuple(WHICH, EDITS).map(([which, edits]) => edited(der(which), edits)),
    );
    fc.assert(
      fc.property(bytes, (each) => {
        for (const read of [
          () => [parseCertificate(Buffer.from(each))],
          () => parseBundle(certificatePem(Buffer.from(each))),
        ]) {
          const outcome = attempt(read);
          const certificates = outcome instanceof MeshjoinError ? [] : outcome;
          const faults = certificates.map((one) =>
            verifyPath(one, { name: "x", roots: certificates, subRoots: certificates }, NOW),
          );
          expect(faults.every(Array.isArray)).toBe(true);
        }
      }),
      RUNS,
    );
  });

  it("nested without an end are refused, not a full stack", () => {
    const deep = Buffer.concat(Array.from({ length: 20_000 }, () => Buffer.from([0x30, 0x80])));
    expect(attempt(() => [parseCertificate(deep)])).toBeInstanceOf(MeshjoinError);
    expect(isSignedBy(deep, parseCertificatePem(root.certificate).publicKey)).toBe(false);
  });
});

/** Anything but an error of ours fails the test. */
function attempt<T>(read: () => T): T | MeshjoinError {
  try {
    return read();
  } catch (error) {
    if (error instanceof MeshjoinError) return error;
    throw error;
  }
}

const FILES = [
  "ca-cert.pem",
  "ca-key.pem",
  "cert-chain.pem",
  "root-cert.pem",
  "ca-crl.pem",
  "tls.crt",
  "tls.key",
  "ca.crt",
];

describe("a cacerts of somebody else", () => {
  const good = (): Record<string, string> => ({
    "ca-cert.pem": encoded(intermediate.certificate),
    "ca-key.pem": encoded(intermediate.privateKey),
    "cert-chain.pem": encoded(intermediate.certificate + root.certificate),
    "root-cert.pem": encoded(root.certificate),
  });

  it("gets a verdict, whatever stands in its files", () => {
    expect(judgeCacerts(good(), root.certificate, NOW)).toMatchObject({ trust: "sameRoots" });
    const files = fc.dictionary(
      fc.constantFrom(...FILES),
      fc.oneof(fc.uint8Array().map(encoded), fc.string()),
    );
    fc.assert(
      fc.property(files, (data) => {
        const { trust } = judgeCacerts({ ...good(), ...data }, root.certificate, NOW);
        expect(["sameRoots", "otherRoots", "unloadable"]).toContain(trust);
      }),
      RUNS,
    );
  });

  it("gets a verdict, and a date where it is accepted, whatever was edited in PEM or in DER", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 3 }), fc.boolean(), EDITS, (file, inDer, edits) => {
        const name = FILES[file] ?? "";
        const before = Buffer.from(good()[name] ?? "", "base64");
        const pem = before.toString();
        const isKey = name === "ca-key.pem";
        const [first = Buffer.alloc(0), ...others] = isKey ? [] : splitBundle(pem);
        const after =
          inDer && !isKey
            ? Buffer.from([edited(first, edits), ...others].map(certificatePem).join(""))
            : edited(before, edits);
        const verdict = judgeCacerts({ ...good(), [name]: encoded(after) }, root.certificate, NOW);
        const until = verdict.trust === "sameRoots" ? verdict.until.getTime() : 0;
        expect(Number.isNaN(until)).toBe(false);
      }),
      RUNS,
    );
  });
});

const istiod = (ttl?: string) => ({
  apiVersion: "apps/v1",
  kind: "Deployment",
  metadata: { name: "istiod" },
  spec: {
    template: {
      spec: {
        containers: [{ env: ttl === undefined ? [] : [{ name: "MAX_WORKLOAD_CERT_TTL", value: ttl }] }],
      },
    },
  },
});

describe("the mesh config of somebody else's istiod", () => {
  const identityOf = (mesh: string) => {
    const config = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "istio" }, data: { mesh } };
    const { meshId, trustDomain } = controlPlaneIdentity(istiod(), config, undefined);
    return { meshId, trustDomain };
  };
  const NEITHER = { meshId: undefined, trustDomain: undefined };

  it.each([
    [
      "a duplicate key, of which istiod takes the last",
      "trustDomain: a\ntrustDomain: b\ndefaultConfig: {meshId: prod}",
      { meshId: "prod", trustDomain: "b" },
    ],
    ["nothing", "", { meshId: undefined, trustDomain: "cluster.local" }],
    ["a tab", "defaultConfig:\n\tmeshId: prod", NEITHER],
    ["an unknown alias", "defaultConfig: *nowhere", NEITHER],
    ["a list", "- trustDomain: a", NEITHER],
    ["a number for a name", "trustDomain: 7\ndefaultConfig: {meshId: 7}", NEITHER],
    ["text for the defaults", "defaultConfig: meshId", { meshId: undefined, trustDomain: "cluster.local" }],
  ])("with %s is read as far as it can be", (_, mesh, expected) => {
    expect(identityOf(mesh)).toEqual(expected);
  });

  it("says a name or nothing, whatever stands in it", () => {
    const keys = fc.constantFrom("trustDomain", "defaultConfig", "meshId", "x");
    const yaml = fc
      .array(
        fc.oneof(
          fc.string(),
          keys,
          fc.constantFrom(": ", "\n", "  ", "- ", "&a ", "*a", "\t", "{", "}", "<<"),
        ),
      )
      .map((parts) => parts.join(""));
    fc.assert(
      fc.property(yaml, (mesh) => {
        const { meshId = "", trustDomain = "" } = identityOf(mesh);
        expect([typeof meshId, typeof trustDomain]).toEqual(["string", "string"]);
      }),
      RUNS,
    );
  });
});

describe("a remote secret that somebody has edited", () => {
  const kubeconfig = renderKubeconfig("cn-a", { kind: "public", server: "https://10.0.0.2" }, "the-token");

  it("gives its token, or none", () => {
    expect(tokenOfKubeconfig(kubeconfig)).toBe("the-token");
    const texts = fc.oneof(
      fc.string(),
      EDITS.map((edits) => edited(Buffer.from(kubeconfig), edits).toString()),
      fc.json(),
    );
    fc.assert(
      fc.property(texts, (text) => {
        expect(["string", "undefined"]).toContain(typeof tokenOfKubeconfig(text));
      }),
      RUNS,
    );
  });

  it.each([
    "users: 7",
    "users: [null]",
    "users: [{user: null}]",
    "users: [{user: {token: 7}}]",
    "users: {0: {}}",
    "\t",
    "*a",
  ])("has none: %j", (text) => {
    expect(tokenOfKubeconfig(text)).toBeUndefined();
  });
});

describe("the longest life of a workload's certificate", () => {
  const NINETY_DAYS = 90 * 86_400;

  it.each([
    ["9999999999h", NINETY_DAYS],
    ["2562048h", NINETY_DAYS],
    ["2562047h", 2_562_047 * 3600],
    ["-5h", NINETY_DAYS],
    ["24 hours", NINETY_DAYS],
    ["9".repeat(300_000), NINETY_DAYS],
    ["24h", 86_400],
  ])("that says %.20s is what istiod makes of it", (text, expected) => {
    expect(workloadTtl(istiod(text))).toBe(expected);
  });

  it("ends at a date, whatever stands there", () => {
    const texts = fc.oneof(
      fc.string(),
      fc
        .tuple(fc.bigInt({ min: 0n }), fc.constantFrom("h", "m", "s", "ms", "ns", "h1m", ".5h"))
        .map(([count, unit]) => `${count}${unit}`),
    );
    fc.assert(
      fc.property(texts, (text) => {
        const ends = new Date(NOW.getTime() + workloadTtl(istiod(text)) * 1000);
        expect(Number.isNaN(ends.getTime())).toBe(false);
        expect(parseGoDuration(text)).not.toBe(Number.POSITIVE_INFINITY);
      }),
      RUNS,
    );
  });
});

describe("the roots that istiod has published", () => {
  it("are none where they cannot be read", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(
          fc.string(),
          EDITS.map((edits) => edited(Buffer.from(root.certificate), edits).toString()),
        ),
        async (text) => {
          const published: KubernetesObject = {
            apiVersion: "v1",
            kind: "ConfigMap",
            metadata: { name: "istio-ca-root-cert", namespace: "shop" },
            data: { "root-cert.pem": text },
          };
          const reader = {
            get: async () => await Promise.resolve(published),
            list: async () => await Promise.resolve([published]),
            until: async () => await Promise.resolve([]),
          };
          const api: Pick<MemberApi, "reader"> = { reader };
          const { signal } = new AbortController();
          const [{ fingerprints } = { fingerprints: undefined }] = await publishedRoots(api, signal);
          expect(await rootCertificates(api, signal)).toHaveLength(fingerprints?.length ?? -1);
        },
      ),
      { numRuns: 100 },
    );
  });
});

describe("annotations that somebody has edited", () => {
  it("are a value or nothing", () => {
    const keys = [
      "root-versions",
      "not-after",
      "loaded-at",
      "issued-at",
      "root-not-after",
      "root-fingerprints",
      "token-issued-at",
      "token-expires-at",
      "fingerprint",
    ];
    const annotations = fc.dictionary(
      fc.constantFrom(...keys.map((key) => `meshjoin.dev/${key}`)),
      fc.string(),
    );
    fc.assert(
      fc.property(annotations, (given) => {
        const metadata = { name: "istio-remote-secret-cn-a", annotations: given };
        const { notAfter, loadedAt, issuedAt, rootNotAfter } = ownCacerts(metadata, "ours");
        const remote = remoteSecretState({ apiVersion: "v1", kind: "Secret", metadata }, "prod", sharing());
        const dates = [
          notAfter,
          loadedAt,
          issuedAt,
          rootNotAfter,
          remote?.tokenExpiresAt,
          remote?.tokenIssuedAt,
        ];
        expect(dates.filter((date) => date !== undefined && Number.isNaN(date.getTime()))).toEqual([]);
      }),
      RUNS,
    );
  });
});

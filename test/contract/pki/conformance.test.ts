import { beforeAll, describe, expect, it } from "@jest/globals";
import { KEY_ALGORITHMS, type KeyAlgorithm } from "../../../shared/core/spec.ts";
import { parseCertificatePem } from "../../../shared/pki/certificate.ts";
import { makeRoot } from "../../../shared/pki/make-root.ts";
import { aCa, type RootFiles } from "../../support/pki/gen.ts";
import { opensslRoot } from "../../support/pki/openssl.ts";
import { issuedTo, type Subject, selfSigned, workloadOf } from "./certificates.ts";
import { judge, type Verdicts } from "./judges.ts";
import { PLANTED } from "./planted.ts";

/** The first use fetches pkilint, and compiles Go's library. */
const TIMEOUT_MS = 5 * 60_000;

const ROOTS: Readonly<Record<string, () => RootFiles | Promise<RootFiles>>> = {
  "ec-p384": () => makeRoot({ algorithm: "ec-p384", now: new Date() }),
  "rsa-4096": () => makeRoot({ algorithm: "rsa-4096", now: new Date() }),
  "imported rsa-2048": () => opensslRoot({ key: "rsa:2048" }),
  "ending sooner": () => opensslRoot({ key: "P-256", days: 30 }),
};
const INTERMEDIATES: readonly (readonly [root: string, key: KeyAlgorithm])[] = [
  ...["ec-p384", "rsa-4096"].flatMap((root) => KEY_ALGORITHMS.map((key) => [root, key] as const)),
  ["imported rsa-2048", "ec-p256"],
  ["ending sooner", "ec-p256"],
];
const SOUND_PATH = { openssl: "ok", node: "ok", go: "ok" };
const SOUND: Verdicts = { ...SOUND_PATH, pkilint: "ok" };

const subjects = new Map<string, Subject>();
let verdicts: ReadonlyMap<string, Verdicts>;

beforeAll(async () => {
  const roots = new Map<string, RootFiles>();
  for (const [name, make] of Object.entries(ROOTS)) roots.set(name, await make());
  for (const [name, root] of roots) subjects.set(`root ${name}`, selfSigned(root));
  for (const [name, key] of INTERMEDIATES) {
    const root = roots.get(name);
    if (root === undefined) throw new TypeError(`no root ${name}`);
    for (const [what, subject] of await family(`${name} ${key}`, key, root)) subjects.set(what, subject);
  }
  for (const { fault, make } of PLANTED) subjects.set(fault, await make());
  verdicts = await judge(subjects);
}, TIMEOUT_MS);

/** An intermediate, a workload below it, and a workload below a CA that it had no right to make. */
async function family(
  name: string,
  key: KeyAlgorithm,
  files: RootFiles,
): Promise<(readonly [string, Subject])[]> {
  const ca = await issuedTo(key, files);
  const subCa = await aCa({ by: ca });
  const { certificate } = ca;
  const root = files.certificate;
  return [
    [`intermediate ${name}`, { root, between: [], certificate }],
    [`workload ${name}`, { root, between: [certificate], certificate: workloadOf(ca) }],
    [
      `below a sub-CA ${name}`,
      { root, between: [subCa.certificate, certificate], certificate: workloadOf(subCa) },
    ],
  ];
}

describe("openssl's strict check, Node, Go and pkilint", () => {
  it.each(Object.keys(ROOTS))("find no fault in a root: %s", (name) => {
    expect(verdicts.get(`root ${name}`)).toEqual(SOUND);
  });

  it.each(INTERMEDIATES)("find none in an intermediate under a root, %s, for a key of %s", (root, key) => {
    expect(verdicts.get(`intermediate ${root} ${key}`)).toEqual(SOUND);
  });

  it("have also judged an intermediate that ends with its root", () => {
    const { root = "", certificate = "" } = subjects.get("intermediate ending sooner ec-p256") ?? {};
    expect(parseCertificatePem(certificate).notAfter).toEqual(parseCertificatePem(root).notAfter);
  });

  it.each(PLANTED)("see that $fault: each as far as it looks", ({ fault, seenBy }) => {
    const seen = Object.entries(seenBy).map(([judgeName, why]) => [judgeName, expect.stringMatching(why)]);
    expect(verdicts.get(fault)).toEqual({ ...SOUND, ...Object.fromEntries(seen) });
  });

  it("each see a fault where there is one", () => {
    const seeing = new Set(PLANTED.flatMap(({ seenBy }) => Object.keys(seenBy)));
    expect([...seeing].toSorted()).toEqual(Object.keys(SOUND).toSorted());
  });
});

describe("openssl, Node and Go", () => {
  // pkilint has something against istiod's form: `keyEncipherment` with an EC key, and a URI of the scheme
  // `spiffe`.
  it.each(INTERMEDIATES)("find no fault in a workload's chain to a root, %s, by a key of %s", (root, key) => {
    expect(verdicts.get(`workload ${root} ${key}`)).toMatchObject(SOUND_PATH);
  });
});

describe("openssl and Go", () => {
  it.each(INTERMEDIATES)(
    "refuse a CA below an intermediate under a root, %s, of a key of %s",
    (root, key) => {
      expect(verdicts.get(`below a sub-CA ${root} ${key}`)).toMatchObject({
        openssl: expect.stringContaining("path length constraint exceeded"),
        go: expect.stringContaining("too many intermediates for path length constraint"),
      });
    },
  );
});

import { createPrivateKey } from "node:crypto";
import { beforeAll, describe, expect, it } from "@jest/globals";
import { judgeCacerts } from "../../../shared/istio/foreign-cacerts.ts";
import { decode, integer, sequence, time } from "../../../shared/pki/asn1.ts";
import { parseCertificatePem } from "../../../shared/pki/certificate.ts";
import { certificateSigning } from "../../../shared/pki/extension.ts";
import { pemOfDer } from "../../../shared/pki/pem.ts";
import { keyInMemory } from "../../../shared/pki/root-keys.ts";
import { algorithmIdentifier, signed } from "../../../shared/pki/signature.ts";
import { aCa, aRoot, NOW, type RootFiles } from "../../support/pki/gen.ts";

/** The certificates of these tests live for long; the CA that ends first is what a verdict is good for. */
const ACCEPTED = { owner: "foreign", trust: "sameRoots", until: expect.any(Date) };

type Files = Readonly<Record<string, string>>;

let root: RootFiles;
let elsewhere: RootFiles;
let subRoot: RootFiles;
let intermediate: RootFiles;

beforeAll(async () => {
  root = await aRoot({ algorithm: "ec-p384", commonName: "root" });
  elsewhere = await aRoot({ algorithm: "ec-p256", commonName: "elsewhere" });
  subRoot = await aCa({ by: root, commonName: "sub-root" });
  intermediate = await aCa({ by: root, pathLength: 0 });
});

/** As Istio's own tools make it. */
function pemFiles(ca = intermediate, above: readonly RootFiles[] = [], end = root): Files {
  return {
    "ca-cert.pem": ca.certificate,
    "ca-key.pem": ca.privateKey,
    "cert-chain.pem": [ca, ...above, end].map(({ certificate }) => certificate).join(""),
    "root-cert.pem": end.certificate,
  };
}

/** As cert-manager makes it. */
function tlsFiles(ca = intermediate, above: readonly RootFiles[] = [], end = root): Files {
  return {
    "tls.crt": [ca, ...above].map(({ certificate }) => certificate).join(""),
    "tls.key": ca.privateKey,
    "ca.crt": end.certificate,
  };
}

function without(files: Files, ...names: string[]): Files {
  return Object.fromEntries(Object.entries(files).filter(([name]) => !names.includes(name)));
}

function judge(files: Files, trustBundle = root.certificate) {
  const encoded = Object.entries(files).map(([name, text]) => [name, Buffer.from(text).toString("base64")]);
  return judgeCacerts(Object.fromEntries(encoded), trustBundle, NOW);
}

/** A CRL that revokes nothing, PEM. */
async function revocationList({ certificate, privateKey }: RootFiles): Promise<string> {
  const key = keyInMemory(createPrivateKey(privateKey));
  const issuer = decode(parseCertificatePem(certificate).subject);
  const body = sequence(
    integer(1),
    algorithmIdentifier(key),
    issuer,
    time(NOW),
    time(new Date("2027-01-01")),
  );
  return pemOfDer("X509 CRL", await signed(body, key));
}

describe("a cacerts of somebody else is accepted", () => {
  it.each<[string, () => Promise<Files> | Files]>([
    ["in the files of Istio's tools", () => pemFiles()],
    ["in the files of a TLS Secret", () => tlsFiles()],
    ["with a sub-root in its chain file", async () => pemFiles(await aCa({ by: subRoot }), [subRoot])],
    ["with a sub-root in its tls.crt", async () => tlsFiles(await aCa({ by: subRoot }), [subRoot])],
    [
      "with a chain file that leaves the root out",
      () => ({ ...pemFiles(), "cert-chain.pem": intermediate.certificate }),
    ],
    [
      "with more in ca-cert.pem than the first",
      () => ({ ...pemFiles(), "ca-cert.pem": pemFiles()["cert-chain.pem"]! }),
    ],
    [
      "for its tls.crt, whatever the other files are",
      () => ({ ...pemFiles(elsewhere, [], elsewhere), ...tlsFiles() }),
    ],
    [
      "when it trusts one root more",
      () => ({ ...pemFiles(), "root-cert.pem": elsewhere.certificate + root.certificate }),
    ],
    [
      "with a revocation list of every CA",
      async () => ({
        ...pemFiles(),
        "ca-crl.pem": (await revocationList(intermediate)) + (await revocationList(root)),
      }),
    ],
    [
      "with a revocation list that istiod does not read beside tls.crt",
      () => ({ ...tlsFiles(), "ca-crl.pem": "…" }),
    ],
  ])("%s", async (_, files) => {
    expect(judge(await files())).toEqual(ACCEPTED);
  });

  it("until the first certificate in it expires", async () => {
    const soon = new Date(NOW.getTime() + 86_400_000);
    const until = async (files: Files) => Reflect.get(judge(files), "until");
    const short = await aCa({ by: root, notAfter: soon });
    expect(await until(pemFiles(short))).toEqual(soon);
    expect(await until(tlsFiles(await aCa({ by: subRoot }), [subRoot]))).toEqual(
      parseCertificatePem(subRoot.certificate).notAfter,
    );
  });

  it("while the mesh has one root more", () => {
    const trustBundle = elsewhere.certificate + root.certificate;
    expect(judge(pemFiles(), trustBundle)).toEqual(ACCEPTED);
  });
});

describe("a cacerts of somebody else is refused, because istiod would not start with it", () => {
  it.each<[string, () => Promise<Files> | Files, RegExp[]]>([
    ["its root file is missing", () => without(pemFiles(), "root-cert.pem"), [/^it has no root-cert\.pem$/]],
    ["ca.crt is missing", () => without(tlsFiles(), "ca.crt"), [/^it has no ca\.crt$/]],
    [
      "two files are missing",
      () => without(pemFiles(), "ca-key.pem", "cert-chain.pem"),
      [/^it has no ca-key\.pem and no cert-chain\.pem$/],
    ],
    [
      "tls.crt has no key beside it, though the other files are whole",
      () => ({ ...pemFiles(), ...without(tlsFiles(), "tls.key") }),
      [/^it has no tls\.key$/],
    ],
    [
      "it is empty",
      () => ({}),
      [/^it has no ca-cert\.pem and no ca-key\.pem and no cert-chain\.pem and no root-cert\.pem$/],
    ],
    [
      "its root file is empty",
      () => ({ ...pemFiles(), "root-cert.pem": "" }),
      [/^root-cert\.pem holds no root/],
    ],
    [
      "its root file is no PEM",
      () => ({ ...pemFiles(), "root-cert.pem": "-----BEGIN CERTIFICATE-----" }),
      [/^root-cert\.pem holds no root/],
    ],
    [
      "its intermediate is no PEM",
      () => ({ ...pemFiles(), "ca-cert.pem": "…" }),
      [/^the intermediate is not one X.509/],
    ],
    [
      "its key is another's",
      () => ({ ...pemFiles(), "ca-key.pem": root.privateKey }),
      [/^the key is not the intermediate's$/],
    ],
    [
      "EC parameters stand before its key",
      () => ({
        ...pemFiles(),
        "ca-key.pem":
          pemOfDer("EC PARAMETERS", Buffer.from("06082a8648ce3d030107", "hex")) + intermediate.privateKey,
      }),
      [/does not begin with an unencrypted private key/],
    ],
    [
      "tls.crt ends without a newline, so that two certificates share a line",
      () => ({ ...tlsFiles(), "tls.crt": intermediate.certificate.trimEnd() }),
      [/^the chain is no list of certificates in PEM that each begin a line$/],
    ],
    [
      "it has expired",
      async () => pemFiles(await aCa({ by: root, notAfter: new Date("2026-02-01T00:00:00Z") })),
      [/^the intermediate expired at 2026-02-01/],
    ],
    [
      "its intermediate is no CA",
      async () => pemFiles(await aCa({ by: root, extensions: [certificateSigning()] })),
      [/^the intermediate may not sign/],
    ],
    [
      "its own root file is not that of its intermediate",
      () => ({ ...pemFiles(), "root-cert.pem": elsewhere.certificate }),
      [/^the intermediate chains to no root of root-cert\.pem$/, /^neither root-cert\.pem nor the mesh's/],
    ],
    [
      "its chain file lacks the sub-root",
      async () => tlsFiles(await aCa({ by: subRoot })),
      [/^the intermediate chains to no root of ca\.crt$/, /^the intermediate chains to no root of the mesh$/],
    ],
    [
      "a CA of its chain has no revocation list",
      async () => ({ ...pemFiles(), "ca-crl.pem": await revocationList(root) }),
      [/not one of every CA/],
    ],
    [
      "its revocation lists cannot be read",
      () => ({ ...pemFiles(), "ca-crl.pem": root.certificate.slice(0, 200) }),
      [/not X.509 CRLs/],
    ],
    [
      "several things are wrong",
      async () => ({ ...pemFiles(await aCa({ by: subRoot }), [], elsewhere), "ca-key.pem": "" }),
      [
        /does not begin with/,
        /to no root of root-cert\.pem$/,
        /to no root of the mesh$/,
        /^neither root-cert\.pem/,
      ],
    ],
  ])("%s", async (_, files, faults) => {
    expect(judge(await files())).toEqual({
      owner: "foreign",
      trust: "unloadable",
      faults: faults.map((each) => expect.stringMatching(each)),
    });
  });
});

describe("a cacerts of somebody else is refused, because the mesh would not trust it", () => {
  it.each<[string, () => Promise<Files>, RegExp[]]>([
    [
      "it chains to another root",
      async () => pemFiles(await aCa({ by: elsewhere }), [], elsewhere),
      [
        /^the intermediate chains to no root of the mesh$/,
        /^neither root-cert\.pem nor the mesh's trust bundle/,
      ],
    ],
    [
      "it chains to another root, and trusts the mesh's too",
      async () => ({
        ...tlsFiles(await aCa({ by: elsewhere }), [], elsewhere),
        "ca.crt": elsewhere.certificate + root.certificate,
      }),
      [/^the intermediate chains to no root of the mesh$/],
    ],
    [
      "its peers' proxies would not get its sub-root",
      async () => ({
        ...pemFiles(await aCa({ by: subRoot })),
        "root-cert.pem": subRoot.certificate + root.certificate,
      }),
      [/^the intermediate chains to no root of the mesh$/],
    ],
  ])("%s", async (_, files, faults) => {
    expect(judge(await files())).toEqual({
      owner: "foreign",
      trust: "otherRoots",
      faults: faults.map((each) => expect.stringMatching(each)),
    });
  });

  it("trusts another root instead of one of the mesh's", async () => {
    const files = { ...pemFiles(), "root-cert.pem": elsewhere.certificate + root.certificate };
    const third = (await aRoot({ commonName: "third" })).certificate;
    expect(judge(files, root.certificate + third)).toEqual({
      owner: "foreign",
      trust: "otherRoots",
      faults: ["neither root-cert.pem nor the mesh's trust bundle contains the other"],
    });
  });
});

describe("a cacerts of somebody else", () => {
  it("is known for the work of a self-signing istiod", () => {
    expect(judge({ ...pemFiles(), "istio-generated": "" })).toEqual({ owner: "foreign", trust: "generated" });
  });

  it("is judged without a word of its key", async () => {
    const files = {
      ...pemFiles(),
      "root-cert.pem": root.privateKey,
      "cert-chain.pem": intermediate.privateKey,
    };
    const body = intermediate.privateKey.split("\n")[1]!;
    expect(JSON.stringify(judge(files))).not.toContain(body);
    expect(JSON.stringify(judge({ ...pemFiles(), "ca-key.pem": root.privateKey }))).not.toContain("PRIVATE");
  });
});

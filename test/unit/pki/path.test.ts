import { beforeAll, describe, expect, it } from "@jest/globals";
import { parseBundle, parseCertificatePem } from "../../../shared/pki/certificate.ts";
import {
  authorityKeyIdentifier,
  basicConstraints,
  certificateSigning,
  subjectKeyIdentifier,
} from "../../../shared/pki/extension.ts";
import { makeKeyPair } from "../../../shared/pki/key.ts";
import { verifyPath } from "../../../shared/pki/path.ts";
import { aCa, aRoot, type CaSeed, NOW, type RootFiles, type RootSeed } from "../../support/pki/gen.ts";

const ENDED = new Date("2026-02-01T00:00:00Z");

/** What a case leads where: the intermediate, the CAs of its chain file, the roots of a bundle. */
interface Path {
  readonly intermediate: RootFiles;
  readonly subRoots?: readonly RootFiles[];
  readonly roots: readonly RootFiles[];
}

let root: RootFiles;
let other: RootFiles;

beforeAll(async () => {
  root = await aRoot({ algorithm: "ec-p384", commonName: "root" });
  other = await aRoot({ algorithm: "ec-p256", commonName: "other" });
});

function verify({ intermediate, subRoots = [], roots }: Path) {
  const all = (files: readonly RootFiles[]) =>
    parseBundle(files.map(({ certificate }) => certificate).join(""));
  const anchors = { name: "the mesh", roots: all(roots), subRoots: all(subRoots) };
  return verifyPath(parseCertificatePem(intermediate.certificate), anchors, NOW);
}

/** Intermediate, sub-root, root, with one of the two upper ones made otherwise. */
async function underSubRoot(sub: Partial<CaSeed> = {}, top: RootSeed = {}): Promise<Path> {
  const above = await aRoot({ algorithm: "ec-p384", commonName: "root", ...top });
  const subRoot = await aCa({ by: above, commonName: "sub-root", ...sub });
  return { intermediate: await aCa({ by: subRoot }), subRoots: [subRoot], roots: [above] };
}

async function underTwoSubRoots(pathLengths: readonly [top?: number, upper?: number, lower?: number]) {
  const [top, upper, lower] = pathLengths;
  const above = await aRoot({ extensions: [basicConstraints(top), certificateSigning()] });
  const pathLength = (length: number | undefined) => (length === undefined ? {} : { pathLength: length });
  const high = await aCa({ by: above, commonName: "upper", ...pathLength(upper) });
  const low = await aCa({ by: high, commonName: "lower", ...pathLength(lower) });
  const intermediate = await aCa({ by: low, pathLength: 0 });
  // In no order, as a chain file may be behind its first certificate.
  return { intermediate, subRoots: [high, intermediate, low, above], roots: [other, above] };
}

describe("a path", () => {
  it.each<[string, () => Promise<Path>]>([
    [
      "leads straight to a root",
      async () => ({ intermediate: await aCa({ by: root }), roots: [other, root] }),
    ],
    ["leads over a sub-root", () => underSubRoot()],
    ["leads over two, which allow just that", () => underTwoSubRoots([3, 2, 1])],
    [
      "ends at a sub-root that is trusted itself",
      async () => {
        const { intermediate, subRoots = [] } = await underSubRoot();
        return { intermediate, roots: subRoots };
      },
    ],
    [
      "avoids an expired issuance of a sub-root",
      async () => {
        const pair = await makeKeyPair("ec-p256");
        const seed = { by: root, pair, commonName: "sub-root" };
        const [expired, good] = [await aCa({ ...seed, notAfter: ENDED }), await aCa(seed)];
        return { intermediate: await aCa({ by: good }), subRoots: [expired, good], roots: [root] };
      },
    ],
    [
      "avoids an expired issuance of a root",
      async () => {
        const expired = await aRoot({ algorithm: "ec-p384", commonName: "root", notAfter: ENDED });
        return { intermediate: await aCa({ by: root }), roots: [expired, root] };
      },
    ],
    [
      "is found where two roots have certified one sub-root",
      async () => {
        const seed = { pair: await makeKeyPair("ec-p256"), commonName: "sub-root" };
        const [ours, theirs] = [await aCa({ by: root, ...seed }), await aCa({ by: other, ...seed })];
        return { intermediate: await aCa({ by: theirs }), subRoots: [theirs, ours], roots: [root] };
      },
    ],
  ])("%s", async (_, path) => {
    expect(verify(await path())).toEqual([]);
  });

  it.each<[string, string, () => Promise<Path>, RegExp]>([
    [
      "UnknownIssuer",
      "to other roots",
      async () => ({ ...(await underSubRoot()), roots: [other] }),
      /of the mesh$/,
    ],
    [
      "UnknownIssuer",
      "over a sub-root that its chain lacks",
      async () => ({ ...(await underSubRoot()), subRoots: [] }),
      /of the mesh$/,
    ],
    ["UnknownIssuer", "in a circle", circle, /of the mesh$/],
    [
      "SignatureInvalid",
      "to a root of the right name and another key",
      async () => ({
        intermediate: await aCa({ by: root }),
        roots: [await aRoot({ algorithm: "rsa-2048", commonName: "root" })],
      }),
      /has not signed it$/,
    ],
    [
      "SignatureInvalid",
      "past more namesakes than Go would try",
      async () => {
        const namesake = await aRoot({ algorithm: "rsa-2048", commonName: "root" });
        return {
          intermediate: await aCa({ by: root }),
          roots: [...Array<RootFiles>(100).fill(namesake), root],
        };
      },
      /has not signed it$/,
    ],
    [
      "Expired",
      "over an expired sub-root",
      () => underSubRoot({ notAfter: ENDED }),
      /^the sub-root expired at/,
    ],
    [
      "NotYetValid",
      "over a sub-root of the future",
      () => underSubRoot({ notBefore: new Date("2026-04-01T00:00:00Z") }),
      /^the sub-root is valid only from/,
    ],
    ["Expired", "to an expired root", () => underSubRoot({}, { notAfter: ENDED }), /^the root expired at/],
    [
      "SubRootNotCa",
      "over a certificate that is no CA",
      () => underSubRoot({ extensions: [certificateSigning()] }),
      /^the sub-root may not sign/,
    ],
    [
      "RootNotCa",
      "to a root that is no CA",
      () => underSubRoot({}, { extensions: [certificateSigning()] }),
      /^the root may not sign/,
    ],
    [
      "AuthorityKeyMismatch",
      "over a sub-root of another key identifier",
      async () => {
        const by = await aCa({ by: root, commonName: "sub-root" });
        const extensions = [
          basicConstraints(0),
          certificateSigning(),
          authorityKeyIdentifier(Buffer.alloc(20, 1)),
        ];
        return { intermediate: await aCa({ by, extensions }), subRoots: [by], roots: [root] };
      },
      /^the sub-root's key identifier/,
    ],
    [
      "AuthorityKeyMismatch",
      "to a root of another key identifier",
      async () => {
        const pair = await makeKeyPair("ec-p256");
        const [id, again] = [Buffer.alloc(20, 1), Buffer.alloc(20, 2)].map((octets) => [
          basicConstraints(),
          certificateSigning(),
          subjectKeyIdentifier(octets),
        ]);
        const [before, after] = [
          await aRoot({ pair, extensions: id! }),
          await aRoot({ pair, extensions: again! }),
        ];
        return { intermediate: await aCa({ by: before }), roots: [after] };
      },
      /^the root's key identifier/,
    ],
    [
      "SubRootPathLength",
      "over a sub-root that allows none",
      () => underSubRoot({ pathLength: 0 }),
      /is 0, .* 1$/,
    ],
    [
      "SubRootPathLength",
      "over an upper one that allows one",
      () => underTwoSubRoots([3, 1, 1]),
      /is 1, .* 2$/,
    ],
    [
      "RootPathLength",
      "to a root that allows two",
      () => underTwoSubRoots([2, 2, 1]),
      /^the root's .* is 2, .* 3$/,
    ],
  ])("does not lead, for %s, %s", async (reason, _, path, message) => {
    expect(verify(await path())).toEqual([{ reason, message: expect.stringMatching(message) }]);
  });

  it("that no CA allows is refused with what each of them says", async () => {
    const faults = verify(await underSubRoot({ notAfter: ENDED, pathLength: 0 }));
    expect(faults.map(({ reason }) => reason)).toEqual(["SubRootPathLength", "Expired"]);
  });
});

/** Two CAs that have certified each other. */
async function circle(): Promise<Path> {
  const [one, two] = [await makeKeyPair("ec-p256"), await makeKeyPair("ec-p256")];
  const first = await aCa({ by: root, pair: one, commonName: "one" });
  const second = await aCa({ by: first, pair: two, commonName: "two" });
  const again = await aCa({ by: second, pair: one, commonName: "one" });
  return { intermediate: await aCa({ by: second }), subRoots: [second, again], roots: [other] };
}

import { beforeAll, describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { compareBundles, fingerprint, joinBundle, splitBundle } from "../../../shared/pki/bundle.ts";
import { pemOfDer } from "../../../shared/pki/pem.ts";
import { aRoot } from "../../support/pki/gen.ts";

/** Any bytes do: a bundle is split without looking into its certificates. */
const certificates = fc.uniqueArray(
  fc.uint8Array({ minLength: 1, maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
  {
    selector: (der) => der.toString("hex"),
    maxLength: 5,
  },
);

describe("joinBundle and splitBundle", () => {
  it("are each other's inverse", () => {
    fc.assert(
      fc.property(certificates, (ders) => {
        expect(splitBundle(joinBundle(ders))).toEqual(ders);
      }),
    );
  });

  it("ends every certificate with one newline, whatever came in", async () => {
    const { certificate } = await aRoot();
    const untidy = `Bag Attributes\n${certificate.replaceAll("\n", "\r\n").trimEnd()}`;
    expect(joinBundle(splitBundle(untidy))).toBe(certificate);
  });

  it("names a certificate that comes twice once", async () => {
    const { certificate } = await aRoot();
    expect(joinBundle(splitBundle(certificate + certificate))).toBe(certificate);
  });

  it("keeps the order", () => {
    const [a, b] = [Buffer.from("a"), Buffer.from("b")];
    expect(joinBundle([b, a])).toBe(joinBundle([b]) + joinBundle([a]));
  });

  it("takes no files put together without a newline, of which Go would read none", async () => {
    const { certificate } = await aRoot();
    expect(() => splitBundle(certificate.trimEnd() + certificate)).toThrow("in the middle of a line");
  });

  it("lets no key into a bundle", async () => {
    const { certificate, privateKey } = await aRoot();
    expect(() => splitBundle(certificate + privateKey)).toThrow(
      "a PRIVATE KEY block stands among the certificates",
    );
  });
});

describe("compareBundles", () => {
  let a: string;
  let b: string;
  beforeAll(() => {
    [a, b] = [pemOfDer("CERTIFICATE", Buffer.from("a")), pemOfDer("CERTIFICATE", Buffer.from("b"))];
  });

  it.each([
    ["same", () => [a, a]],
    ["same", () => [a + b, b + a]],
    ["same", () => [a, a + a]],
    ["grows", () => [a, a + b]],
    ["grows", () => [a, b + a]],
    ["shrinks", () => [a + b, b]],
    ["replaced", () => [a, b]],
  ])("says %s", (change, bundles) => {
    const [before = "", after = ""] = bundles();
    expect(compareBundles(before, after)).toBe(change);
  });

  it("is a question about sets: replaced exactly if neither contains the other", () => {
    fc.assert(
      fc.property(certificates, certificates, (before, after) => {
        const [old, next] = [new Set(before.map(fingerprint)), new Set(after.map(fingerprint))];
        const nested = old.isSubsetOf(next) || next.isSubsetOf(old);
        expect(compareBundles(joinBundle(before), joinBundle(after)) === "replaced").toBe(!nested);
      }),
    );
  });

  it("mirrors when the two change places", () => {
    const mirror = { same: "same", grows: "shrinks", shrinks: "grows", replaced: "replaced" } as const;
    fc.assert(
      fc.property(certificates, certificates, (before, after) => {
        const [old, next] = [joinBundle(before), joinBundle(after)];
        expect(compareBundles(next, old)).toBe(mirror[compareBundles(old, next)]);
      }),
    );
  });
});

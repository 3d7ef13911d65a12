import { createHash } from "node:crypto";
import { derOfBlock, findPemBlocks, pemOfDer } from "./pem.ts";

const LABEL = "CERTIFICATE";

/** One certificate as PEM: lines of 64, one newline at the end, nothing around it. */
export function certificatePem(der: Buffer): string {
  return pemOfDer(LABEL, der);
}

/**
 * The certificates of a PEM file in their order. Fails on a block that is no certificate, such as a key. Also
 * fails on a block in the middle of a line, which Go ignores: two files were joined without a newline.
 */
export function splitBundle(pem: string): Buffer[] {
  if (/[^\n]-----BEGIN /.test(pem)) throw new Error("a block begins in the middle of a line");
  return findPemBlocks(Buffer.from(pem)).map((block) => {
    if (block.label !== LABEL) throw new Error(`a ${block.label} block stands among the certificates`);
    return derOfBlock(block);
  });
}

/**
 * Concatenates certificates byte for byte the same way every time: istiod before 1.30 compares bundles as
 * bytes. Drops repeated certificates.
 */
export function joinBundle(certificates: readonly Buffer[]): string {
  return [...new Set(certificates.map(certificatePem))].join("");
}

/** SHA-256 of the DER, lower-case hex: the name of a certificate in plans and logs. */
export function fingerprint(der: Buffer): string {
  return createHash("sha256").update(der).digest("hex");
}

export type BundleChange = "same" | "grows" | "shrinks" | "replaced";

/**
 * How two bundles relate as sets of certificates. istiod takes a new bundle live only if one contains the
 * other (`pilot/pkg/bootstrap/istio_ca.go`): istiod drops a `replaced` one with a warning.
 */
export function compareBundles(before: string, after: string): BundleChange {
  const old = new Set(splitBundle(before).map(fingerprint));
  const next = new Set(splitBundle(after).map(fingerprint));
  if (old.isSubsetOf(next)) return next.isSubsetOf(old) ? "same" : "grows";
  return next.isSubsetOf(old) ? "shrinks" : "replaced";
}

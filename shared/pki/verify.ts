import { createPrivateKey, X509Certificate } from "node:crypto";
import { compareBundles } from "./bundle.ts";
import { type Certificate, parseBundle, parseCertificatePem } from "./certificate.ts";
import { type CacertsFault, cacertsFault, verifyDates } from "./fault.ts";
import { PRIVATE_KEY_LABELS } from "./key.ts";
import { type Anchors, verifyPath } from "./path.ts";
import { findPemBlocks } from "./pem.ts";

/** The four files of the Secret `cacerts`; Istio `security/pkg/pki/ca`. */
export interface CacertsFiles {
  /** `ca-cert.pem`: the intermediate. */
  readonly certificate: string;
  /** `ca-key.pem`. */
  readonly privateKey: string;
  /** `cert-chain.pem`: the intermediate, then the CAs up to its root. */
  readonly chain: string;
  /** `root-cert.pem`. */
  readonly trustBundle: string;
}

/**
 * Every reason why istiod would not load a set that Meshjoin issued, or why peers would not trust its
 * certificates; empty if there is none. istiod's own check is `security/pkg/pki/util/keycertbundle.go`; after
 * a refusal it logs one line and keeps the old CA. `bundleBefore`: the `root-cert.pem` that the member has
 * now, if any.
 */
export function verifyCacerts(files: CacertsFiles, now: Date, bundleBefore?: string): CacertsFault[] {
  const roots = readBundle(files.trustBundle) ?? [];
  // No sub-roots, even if the chain holds some: a root issues Meshjoin's intermediates.
  const faults = verifySet(files, { name: "the trust bundle", roots, subRoots: [] }, now);
  const nesting = bundleBefore === undefined ? undefined : verifyNesting(bundleBefore, files.trustBundle);
  return nesting === undefined ? faults : [...faults, nesting];
}

/** The certificate, its key, its chain file and a path from it to one of the anchors. */
export function verifySet(files: CacertsFiles, anchors: Anchors, now: Date): CacertsFault[] {
  const certificate = orUndefined(() => parseCertificatePem(files.certificate));
  const hasRoots = anchors.roots.length > 0;
  const faults = [
    ...(certificate === undefined
      ? [cacertsFault("CertificateMalformed", "the intermediate is not one X.509 certificate in PEM")]
      : [verifyKey(certificate, files.privateKey), verifyChain(certificate, files.chain)]),
    hasRoots
      ? undefined
      : cacertsFault("BundleMalformed", `${anchors.name} holds no root, or a block that is no certificate`),
    ...(certificate === undefined
      ? []
      : [verifyCa(certificate), verifyDates("the intermediate", certificate, now)]),
    ...(certificate === undefined || !hasRoots ? [] : verifyPath(certificate, anchors, now)),
  ];
  return faults.filter((each) => each !== undefined);
}

/** istiod takes a changed bundle without a restart only if old and new are in a subset relation. */
export function verifyNesting(before: string, after: string): CacertsFault | undefined {
  const change = orUndefined(() => compareBundles(before, after));
  return change === "replaced"
    ? cacertsFault(
        "BundlesNotNested",
        "neither bundle contains the other, so a running istiod would drop the change",
      )
    : undefined;
}

/** Undefined for a text that is no list of certificates. */
export function readBundle(pem: string): Certificate[] | undefined {
  return orUndefined(() => parseBundle(pem));
}

/** Go takes the file's first block for the key, even if openssl has put EC parameters there. */
function verifyKey(certificate: Certificate, pem: string): CacertsFault | undefined {
  const key = orUndefined(() => {
    const [first] = findPemBlocks(Buffer.from(pem));
    return first !== undefined && PRIVATE_KEY_LABELS.has(first.label) ? createPrivateKey(pem) : undefined;
  });
  if (key === undefined) {
    return cacertsFault(
      "KeyMalformed",
      "the file of the intermediate's key does not begin with an unencrypted private key in PEM",
    );
  }
  return orUndefined(() => new X509Certificate(certificate.der).checkPrivateKey(key)) === true
    ? undefined
    : cacertsFault("KeyMismatch", "the key is not the intermediate's");
}

function verifyChain(certificate: Certificate, pem: string): CacertsFault | undefined {
  const chain = readBundle(pem);
  if (chain === undefined)
    return cacertsFault(
      "ChainMalformed",
      "the chain is no list of certificates in PEM that each begin a line",
    );
  return chain[0]?.fingerprint === certificate.fingerprint
    ? undefined
    : cacertsFault("ChainMismatch", "the chain does not begin with the intermediate");
}

function verifyCa(certificate: Certificate): CacertsFault | undefined {
  return certificate.isCa && certificate.canSignCertificates
    ? undefined
    : cacertsFault("NotIntermediate", "the intermediate may not sign certificates");
}

function orUndefined<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}

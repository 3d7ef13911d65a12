import { createPrivateKey, X509Certificate } from "node:crypto";
import { compareBundles } from "./bundle.ts";
import { type Certificate, parseBundle, parseCertificatePem } from "./certificate.ts";
import { isSignedBy } from "./signature.ts";

/** The four files of the Secret `cacerts`; Istio `security/pkg/pki/ca`. */
export interface CacertsFiles {
  /** `ca-cert.pem`: the intermediate. */
  readonly certificate: string;
  /** `ca-key.pem`. */
  readonly privateKey: string;
  /** `cert-chain.pem`: the intermediate, then whatever leads to its root. */
  readonly chain: string;
  /** `root-cert.pem`. */
  readonly trustBundle: string;
}

export type CacertsFaultReason =
  | "CertificateMalformed"
  | "KeyMalformed"
  | "ChainMalformed"
  | "BundleMalformed"
  | "KeyMismatch"
  | "ChainMismatch"
  | "NotIntermediate"
  | "UnknownIssuer"
  | "SignatureInvalid"
  | "AuthorityKeyMismatch"
  | "RootNotCa"
  | "RootPathLength"
  | "NotYetValid"
  | "Expired"
  | "BundlesNotNested";

/** Why istiod, or a peer's proxy, would refuse the set. */
export interface CacertsFault {
  readonly reason: CacertsFaultReason;
  readonly message: string;
}

/**
 * Every reason why istiod would not load this set, or peers would not trust what it signs; empty if there is none.
 * istiod's own check is `security/pkg/pki/util/keycertbundle.go`; a refusal there is one line in its log and the
 * old CA going on. `bundleBefore` is the `root-cert.pem` that the member has now, if any.
 */
export function verifyCacerts(files: CacertsFiles, now: Date, bundleBefore?: string): CacertsFault[] {
  const certificate = orUndefined(() => parseCertificatePem(files.certificate));
  const roots = orUndefined(() => parseBundle(files.trustBundle));
  const faults: (CacertsFault | undefined)[] = [
    ...(certificate === undefined
      ? [fault("CertificateMalformed", "the intermediate is not one X.509 certificate in PEM")]
      : [verifyKey(certificate, files.privateKey), verifyChain(certificate, files.chain)]),
    roots === undefined || roots.length === 0
      ? fault("BundleMalformed", "the trust bundle holds no root, or something else than certificates")
      : undefined,
    ...(certificate === undefined ? [] : verifyIssuance(certificate, roots ?? [], now)),
    bundleBefore === undefined ? undefined : verifyNesting(bundleBefore, files.trustBundle),
  ];
  return faults.filter((each) => each !== undefined);
}

/** istiod takes a changed bundle without a restart only if old and new are in a subset relation. */
export function verifyNesting(before: string, after: string): CacertsFault | undefined {
  const change = orUndefined(() => compareBundles(before, after));
  return change === "replaced"
    ? fault(
        "BundlesNotNested",
        "neither bundle contains the other, so a running istiod would drop the change",
      )
    : undefined;
}

function verifyKey(certificate: Certificate, pem: string): CacertsFault | undefined {
  const key = orUndefined(() => createPrivateKey(pem));
  if (key === undefined)
    return fault("KeyMalformed", "the intermediate's key is not an unencrypted private key in PEM");
  return new X509Certificate(certificate.der).checkPrivateKey(key)
    ? undefined
    : fault("KeyMismatch", "the key is not the intermediate's");
}

function verifyChain(certificate: Certificate, pem: string): CacertsFault | undefined {
  const chain = orUndefined(() => parseBundle(pem));
  if (chain === undefined) return fault("ChainMalformed", "the chain holds something else than certificates");
  return chain[0]?.fingerprint === certificate.fingerprint
    ? undefined
    : fault("ChainMismatch", "the chain does not begin with the intermediate");
}

function verifyIssuance(certificate: Certificate, roots: readonly Certificate[], now: Date): CacertsFault[] {
  const faults = [verifyCa(certificate), verifyDates("the intermediate", certificate, now)];
  const named = roots.filter(({ subject }) => subject.equals(certificate.issuer));
  const root = named.find(({ publicKey }) => isSignedBy(certificate.der, publicKey));
  if (root !== undefined) faults.push(...verifyRoot(root, certificate, now));
  else if (named.length > 0) {
    faults.push(fault("SignatureInvalid", "no root of the issuer's name has signed the intermediate"));
  } else if (roots.length > 0) {
    faults.push(
      fault("UnknownIssuer", "no root of the trust bundle has the intermediate's issuer as its subject"),
    );
  }
  return faults.filter((each) => each !== undefined);
}

function verifyCa(certificate: Certificate): CacertsFault | undefined {
  return certificate.isCa && certificate.canSignCertificates
    ? undefined
    : fault("NotIntermediate", "the intermediate may not sign certificates");
}

function verifyRoot(root: Certificate, certificate: Certificate, now: Date): (CacertsFault | undefined)[] {
  const { authorityKeyId } = certificate;
  return [
    root.isCa && root.canSignCertificates
      ? undefined
      : fault("RootNotCa", "the root may not sign certificates"),
    root.pathLength === 0
      ? fault("RootPathLength", "the root's path length allows no intermediate")
      : undefined,
    authorityKeyId === undefined || authorityKeyId.equals(root.subjectKeyId)
      ? undefined
      : fault("AuthorityKeyMismatch", "the intermediate's authority key identifier is not the root's"),
    verifyDates("the root", root, now),
  ];
}

function verifyDates(subject: string, certificate: Certificate, now: Date): CacertsFault | undefined {
  const { notBefore, notAfter } = certificate;
  if (now < notBefore)
    return fault("NotYetValid", `${subject} is valid only from ${notBefore.toISOString()}`);
  return now > notAfter ? fault("Expired", `${subject} expired at ${notAfter.toISOString()}`) : undefined;
}

function fault(reason: CacertsFaultReason, message: string): CacertsFault {
  return { reason, message };
}

function orUndefined<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}

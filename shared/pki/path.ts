import type { Certificate } from "./certificate.ts";
import { type CacertsFault, type CacertsFaultReason, cacertsFault, verifyDates } from "./fault.ts";
import { isSignedBy } from "./signature.ts";

/** The roots at which a path from an intermediate may end, and the CAs between. */
export interface Anchors {
  /** Of the bundle, for messages. */
  readonly name: string;
  readonly roots: readonly Certificate[];
  /** CAs that may stand between the intermediate and a root. */
  readonly subRoots: readonly Certificate[];
}

interface Kind {
  readonly name: string;
  readonly notCa: CacertsFaultReason;
  readonly pathLength: CacertsFaultReason;
}

const ROOT: Kind = { name: "the root", notCa: "RootNotCa", pathLength: "RootPathLength" };
const SUB_ROOT: Kind = { name: "the sub-root", notCa: "SubRootNotCa", pathLength: "SubRootPathLength" };

/** Go's limit: `maxChainSignatureChecks` of `crypto/x509`. */
const SIGNATURE_CHECKS_MAX = 100;

/**
 * Why no path leads from the intermediate to a root; empty if one does. Every CA on a path may sign
 * certificates, is in date, bears the key identifier that its subject names, and has a path length for all
 * CAs below it. The last holds for a workload's certificate, too, which istiod does not try when it loads the
 * set.
 *
 * Breadth first, each CA once. That misses no path, because a path length only forbids: where a longer path
 * holds, a shorter one over the same CA does too.
 */
export function verifyPath(
  intermediate: Certificate,
  { name, roots, subRoots }: Anchors,
  now: Date,
): CacertsFault[] {
  const unvisited = new Set(subRoots.filter((each) => !isSelfSigned(each)));
  const rejections: CacertsFault[] = [];
  let checks = 0;
  let namesake = false;

  const hasSigned = (issuer: Certificate, subject: Certificate): boolean => {
    if (!issuer.subject.equals(subject.issuer)) return false;
    checks += 1;
    const isSigner = checks <= SIGNATURE_CHECKS_MAX && isSignedBy(subject.der, issuer.publicKey);
    namesake ||= !isSigner;
    return isSigner;
  };
  const isSound = (issuance: Issuance): boolean => {
    if (!hasSigned(issuance.issuer, issuance.subject)) return false;
    const faults = verifyIssuer(issuance, now);
    rejections.push(...faults);
    return faults.length === 0;
  };

  let subjects = [intermediate];
  for (let below = 1; subjects.length > 0; below += 1) {
    const above = (issuers: Iterable<Certificate>, kind: Kind) =>
      [...issuers].filter((issuer) => subjects.some((subject) => isSound({ issuer, kind, subject, below })));
    if (above(roots, ROOT).length > 0) return [];
    subjects = above(unvisited, SUB_ROOT);
    for (const subject of subjects) unvisited.delete(subject);
  }
  if (rejections.length > 0) return rejections;
  const message = `the intermediate chains to no root of ${name}`;
  return namesake
    ? [cacertsFault("SignatureInvalid", `${message}: a CA of its issuer's name has not signed it`)]
    : [cacertsFault("UnknownIssuer", message)];
}

interface Issuance {
  readonly issuer: Certificate;
  readonly kind: Kind;
  readonly subject: Certificate;
  /** The number of CAs below the issuer, with the subject. */
  readonly below: number;
}

function verifyIssuer({ issuer, kind, subject, below }: Issuance, now: Date): CacertsFault[] {
  const { authorityKeyId } = subject;
  const { pathLength } = issuer;
  const faults = [
    issuer.isCa && issuer.canSignCertificates
      ? undefined
      : cacertsFault(kind.notCa, `${kind.name} may not sign certificates`),
    pathLength === undefined || pathLength >= below
      ? undefined
      : cacertsFault(
          kind.pathLength,
          `${kind.name}'s path length is ${pathLength}, and the chain needs ${below}`,
        ),
    authorityKeyId === undefined || authorityKeyId.equals(issuer.subjectKeyId)
      ? undefined
      : cacertsFault(
          "AuthorityKeyMismatch",
          `${kind.name}'s key identifier is not the one that its subject names as its authority's`,
        ),
    verifyDates(kind.name, issuer, now),
  ];
  return faults.filter((each) => each !== undefined);
}

/** A root, with which a chain file may end: it leads only to itself. */
function isSelfSigned(certificate: Certificate): boolean {
  return certificate.subject.equals(certificate.issuer) && isSignedBy(certificate.der, certificate.publicKey);
}

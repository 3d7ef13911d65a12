import { sentenceTime } from "../core/time.ts";
import type { Certificate } from "./certificate.ts";

export type CacertsFaultReason =
  | "FileMissing"
  | "CertificateMalformed"
  | "KeyMalformed"
  | "ChainMalformed"
  | "BundleMalformed"
  | "CrlMalformed"
  | "CrlMissing"
  | "KeyMismatch"
  | "ChainMismatch"
  | "NotIntermediate"
  | "UnknownIssuer"
  | "SignatureInvalid"
  | "AuthorityKeyMismatch"
  | "RootNotCa"
  | "RootPathLength"
  | "SubRootNotCa"
  | "SubRootPathLength"
  | "NotYetValid"
  | "Expired"
  | "BundlesNotNested";

/** Why istiod, or a peer's proxy, would refuse a set of `cacerts`. */
export interface CacertsFault {
  readonly reason: CacertsFaultReason;
  /** Names files and dates, never a part of a key. */
  readonly message: string;
}

export function cacertsFault(reason: CacertsFaultReason, message: string): CacertsFault {
  return { reason, message };
}

/** `subject` names the certificate in the message. */
export function verifyDates(subject: string, certificate: Certificate, now: Date): CacertsFault | undefined {
  const { notBefore, notAfter } = certificate;
  if (now < notBefore)
    return cacertsFault("NotYetValid", `${subject} is valid only from ${sentenceTime(notBefore)}`);
  return now > notAfter
    ? cacertsFault("Expired", `${subject} expired at ${sentenceTime(notAfter)}`)
    : undefined;
}

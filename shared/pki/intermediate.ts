import type { KeyObject } from "node:crypto";
import { decode } from "./asn1.ts";
import { certificatePem } from "./bundle.ts";
import {
  authorityKeyIdentifier,
  basicConstraints,
  certificateSigning,
  dnsName,
  subjectKeyIdentifier,
} from "./extension.ts";
import { keyIdentifier, subjectPublicKeyInfo } from "./key.ts";
import { distinguishedName } from "./name.ts";
import type { SigningRoot } from "./root.ts";
import { signCertificate, wholeSeconds } from "./sign-certificate.ts";

export interface IntermediateOptions {
  readonly root: SigningRoot;
  readonly publicKey: KeyObject;
  readonly clusterId: string;
  readonly now: Date;
  /** Seconds from `now`; less if the root ends sooner. */
  readonly ttl: number;
  /** Seconds before `now` that the certificate is valid from, for members whose clock is behind. */
  readonly clockSkew: number;
}

/** The name of Istio's own example, `tools/certs/common.mk`. */
const ISTIOD_DNS_NAME = "istiod.istio-system.svc";

/** A member's intermediate CA, PEM. It is valid neither before nor after its root. */
export async function issueIntermediate(options: IntermediateOptions): Promise<string> {
  const { certificate: root, key } = options.root;
  const now = options.now.getTime();
  const spki = subjectPublicKeyInfo(options.publicKey);
  const notBefore = Math.max(now - options.clockSkew * 1000, root.notBefore.getTime());
  const notAfter = Math.min(now + options.ttl * 1000, root.notAfter.getTime());
  const der = await signCertificate(
    {
      issuer: decode(root.subject),
      subject: distinguishedName(["O", "Istio"], ["CN", "Intermediate CA"], ["L", options.clusterId]),
      notBefore: wholeSeconds(notBefore),
      notAfter: wholeSeconds(notAfter),
      subjectPublicKeyInfo: spki,
      extensions: [
        basicConstraints(0),
        certificateSigning(),
        subjectKeyIdentifier(keyIdentifier(spki)),
        authorityKeyIdentifier(root.subjectKeyId),
        dnsName(ISTIOD_DNS_NAME),
      ],
    },
    key,
  );
  return certificatePem(der);
}

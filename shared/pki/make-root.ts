import type { KeyAlgorithm } from "../core/spec.ts";
import { decode, encode } from "./asn1.ts";
import { certificatePem } from "./bundle.ts";
import { basicConstraints, certificateSigning, subjectKeyIdentifier } from "./extension.ts";
import { keyIdentifier, makeKeyPair, privateKeyPem, subjectPublicKeyInfo } from "./key.ts";
import { distinguishedName } from "./name.ts";
import { keyInMemory } from "./root-keys.ts";
import { signCertificate, wholeSeconds } from "./sign-certificate.ts";

export interface RootOptions {
  /** The mesh ID: tells people which mesh a root certificate is for. */
  readonly organization?: string;
  readonly algorithm?: KeyAlgorithm;
  readonly now: Date;
}

/** A root CA as two PEM files; together they are the payload of a version of the root secret. */
export interface NewRoot {
  readonly certificate: string;
  /** PKCS#8. */
  readonly privateKey: string;
}

const LIFETIME_YEARS = 10;
const BACKDATE_MS = 5 * 60 * 1000;

/** A self-signed root CA, valid for ten years, and from a little before now for clocks that are behind. */
export async function makeRoot(options: RootOptions): Promise<NewRoot> {
  const { organization = "Meshjoin", algorithm = "ec-p384", now } = options;
  const { publicKey, privateKey } = await makeKeyPair(algorithm);
  const spki = subjectPublicKeyInfo(publicKey);
  const keyId = keyIdentifier(spki);
  // A mesh trusts two roots at a time: they must differ in name and key.
  const name = distinguishedName(["O", organization], ["CN", `Root CA ${keyId.toString("hex").slice(0, 8)}`]);
  const notAfter = wholeSeconds(now.getTime());
  notAfter.setUTCFullYear(notAfter.getUTCFullYear() + LIFETIME_YEARS);
  const der = await signCertificate(
    {
      issuer: name,
      subject: decode(encode(name)),
      notBefore: wholeSeconds(now.getTime() - BACKDATE_MS),
      notAfter,
      subjectPublicKeyInfo: spki,
      extensions: [basicConstraints(), certificateSigning(), subjectKeyIdentifier(keyId)],
    },
    keyInMemory(privateKey),
  );
  return { certificate: certificatePem(der), privateKey: privateKeyPem(privateKey) };
}

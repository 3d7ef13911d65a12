import { type KeyObject, X509Certificate } from "node:crypto";
import { InputError } from "../errors.ts";
import { type Asn1, children, content, decode, encode, oidOf, tagged, timeOf } from "./asn1.ts";
import { fingerprint, splitBundle } from "./bundle.ts";
import { EXTENSION } from "./extension.ts";
import { keyIdentifier } from "./key.ts";

/** The fields that decide whether a CA certificate fits; all others stay in `der`. */
export interface Certificate {
  readonly der: Buffer;
  /** SHA-256 of the DER, lower-case hex. */
  readonly fingerprint: string;
  /** Lower-case hex of the INTEGER's octets. */
  readonly serial: string;
  /** DER: names are compared as bytes, as Go does. */
  readonly issuer: Buffer;
  readonly subject: Buffer;
  readonly notBefore: Date;
  readonly notAfter: Date;
  readonly publicKey: KeyObject;
  /** From the extension, or computed from the key where there is none. */
  readonly subjectKeyId: Buffer;
  readonly authorityKeyId: Buffer | undefined;
  readonly isCa: boolean;
  readonly pathLength: number | undefined;
  /** A certificate without the keyUsage extension may sign certificates. */
  readonly canSignCertificates: boolean;
}

/** Exactly one certificate, PEM. Fails with InputError `CertificateMalformed`. */
export function parseCertificatePem(pem: string): Certificate {
  return orMalformed(() => {
    const ders = splitBundle(pem);
    const [der] = ders;
    if (der === undefined || ders.length > 1)
      throw new Error(`one certificate was expected, not ${ders.length}`);
    return readCertificate(der);
  });
}

/** Any number of certificates, PEM, in their order. Fails with InputError `CertificateMalformed`. */
export function parseBundle(pem: string): Certificate[] {
  return orMalformed(() => splitBundle(pem).map(readCertificate));
}

/** Fails with InputError `CertificateMalformed`. */
export function parseCertificate(der: Buffer): Certificate {
  return orMalformed(() => readCertificate(der));
}

function readCertificate(der: Buffer): Certificate {
  const fields = children(children(decode(der))[0]);
  const [serial, , issuer, validity, subject, spki] =
    tagged(fields, 0) === undefined ? fields : fields.slice(1);
  const [notBefore, notAfter] = children(validity);
  const extensions = readExtensions(tagged(fields, 3));
  const basicConstraints = extensions.get(EXTENSION.basicConstraints);
  const keyUsage = extensions.get(EXTENSION.keyUsage);
  const subjectKeyId = extensions.get(EXTENSION.subjectKeyIdentifier);
  const authorityKeyId = extensions.get(EXTENSION.authorityKeyIdentifier);
  return {
    der,
    fingerprint: fingerprint(der),
    serial: content(serial).toString("hex"),
    issuer: encodeField(issuer),
    subject: encodeField(subject),
    notBefore: timeOf(notBefore),
    notAfter: timeOf(notAfter),
    publicKey: new X509Certificate(der).publicKey,
    subjectKeyId: subjectKeyId === undefined ? keyIdentifier(encodeField(spki)) : content(subjectKeyId),
    authorityKeyId: authorityKeyId && readAuthorityKeyId(authorityKeyId),
    ...readBasicConstraints(basicConstraints),
    canSignCertificates: keyUsage === undefined || hasKeyCertSign(keyUsage),
  };
}

function encodeField(node: Asn1 | undefined): Buffer {
  if (node === undefined) throw new Error("a field is missing");
  return encode(node);
}

function readExtensions(node: Asn1 | undefined): ReadonlyMap<string, Asn1> {
  const extensions = node === undefined ? [] : children(children(node)[0]);
  return new Map(
    extensions.map((extension) => {
      const parts = children(extension);
      return [oidOf(parts[0]), decode(content(parts.at(-1)))];
    }),
  );
}

function readAuthorityKeyId(extension: Asn1): Buffer | undefined {
  const id = tagged(children(extension), 0);
  return id && content(id);
}

function readBasicConstraints(extension: Asn1 | undefined): Pick<Certificate, "isCa" | "pathLength"> {
  const [ca, pathLength] = extension === undefined ? [] : children(extension);
  if (ca === undefined || content(ca)[0] !== 0xff) return { isCa: false, pathLength: undefined };
  return { isCa: true, pathLength: pathLength && Number(`0x${content(pathLength).toString("hex")}`) };
}

/** keyCertSign is bit 5, counted from the most significant (RFC 5280 4.2.1.3). */
const KEY_CERT_SIGN = 0b0000_0100;

function hasKeyCertSign(extension: Asn1): boolean {
  return ((content(extension)[1] ?? 0) & KEY_CERT_SIGN) !== 0;
}

function orMalformed<T>(read: () => T): T {
  try {
    return read();
  } catch (cause) {
    throw new InputError("the certificate cannot be read", {
      code: "CertificateMalformed",
      cure: "give an X.509 certificate in PEM",
      field: "certificate",
      cause,
    });
  }
}

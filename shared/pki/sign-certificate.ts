import { randomBytes } from "node:crypto";
import type { SigningKey } from "../ports/root-keys.ts";
import { type Asn1, decode, explicit, integer, sequence, time } from "./asn1.ts";
import { algorithmIdentifier, signed } from "./signature.ts";

export interface CertificateRequest {
  readonly issuer: Asn1;
  readonly subject: Asn1;
  readonly notBefore: Date;
  readonly notAfter: Date;
  readonly subjectPublicKeyInfo: Buffer;
  readonly extensions: readonly Asn1[];
}

const X509_V3 = 2;
const SERIAL_OCTETS = 16;

/** A version 3 certificate, DER. */
export async function signCertificate(request: CertificateRequest, key: SigningKey): Promise<Buffer> {
  const toBeSigned = sequence(
    explicit(0, integer(X509_V3)),
    integer(randomSerial()),
    algorithmIdentifier(key),
    request.issuer,
    sequence(time(request.notBefore), time(request.notAfter)),
    request.subject,
    decode(request.subjectPublicKeyInfo),
    explicit(3, sequence(...request.extensions)),
  );
  return await signed(toBeSigned, key);
}

/** 126 random bits. The two high bits are fixed: positive, never zero, always 16 octets. */
export function randomSerial(): Buffer {
  const serial = randomBytes(SERIAL_OCTETS);
  serial.writeUInt8((serial.readUInt8(0) & 0b0011_1111) | 0b0100_0000, 0);
  return serial;
}

/** X.509 has no fractions of a second. */
export function wholeSeconds(milliseconds: number): Date {
  return new Date(Math.floor(milliseconds / 1000) * 1000);
}

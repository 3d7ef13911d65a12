import { createPrivateKey } from "node:crypto";
import type { KeyAlgorithm } from "../../../shared/core/spec.ts";
import { type Asn1, decode } from "../../../shared/pki/asn1.ts";
import { certificatePem } from "../../../shared/pki/bundle.ts";
import { parseCertificatePem } from "../../../shared/pki/certificate.ts";
import {
  authorityKeyIdentifier,
  basicConstraints,
  certificateSigning,
  subjectKeyIdentifier,
} from "../../../shared/pki/extension.ts";
import {
  type KeyPair,
  keyIdentifier,
  makeKeyPair,
  privateKeyPem,
  subjectPublicKeyInfo,
} from "../../../shared/pki/key.ts";
import { distinguishedName } from "../../../shared/pki/name.ts";
import { readSigningRoot, type SigningRoot } from "../../../shared/pki/root.ts";
import { keyInMemory, keysInPayloads } from "../../../shared/pki/root-keys.ts";
import { signCertificate } from "../../../shared/pki/sign-certificate.ts";

export const NOW = new Date("2026-03-01T12:00:00Z");
export const DAY = 24 * 60 * 60;

const pairs = new Map<KeyAlgorithm, Promise<KeyPair>>();

/** The same pair every time within one test file: making RSA keys is slow. */
export function aKeyPair(algorithm: KeyAlgorithm = "ec-p256"): Promise<KeyPair> {
  const pair = pairs.get(algorithm) ?? makeKeyPair(algorithm);
  pairs.set(algorithm, pair);
  return pair;
}

export interface RootSeed {
  readonly algorithm?: KeyAlgorithm;
  /** Instead of a key of that algorithm. */
  readonly pair?: KeyPair;
  readonly commonName?: string;
  readonly notBefore?: Date;
  readonly notAfter?: Date;
  readonly extensions?: readonly Asn1[];
}

export interface RootFiles {
  readonly certificate: string;
  readonly privateKey: string;
}

/** A root CA, good unless the seed says otherwise. */
export async function aRoot(seed: RootSeed = {}): Promise<RootFiles> {
  const pair = seed.pair ?? (await aKeyPair(seed.algorithm));
  const spki = subjectPublicKeyInfo(pair.publicKey);
  const name = distinguishedName(["CN", seed.commonName ?? "Test Root"]);
  const der = await signCertificate(
    {
      issuer: name,
      subject: name,
      notBefore: seed.notBefore ?? new Date("2026-01-01T00:00:00Z"),
      notAfter: seed.notAfter ?? new Date("2036-01-01T00:00:00Z"),
      subjectPublicKeyInfo: spki,
      extensions: seed.extensions ?? [
        basicConstraints(),
        certificateSigning(),
        subjectKeyIdentifier(keyIdentifier(spki)),
      ],
    },
    keyInMemory(pair.privateKey),
  );
  return { certificate: certificatePem(der), privateKey: privateKeyPem(pair.privateKey) };
}

export interface CaSeed extends Omit<RootSeed, "algorithm"> {
  readonly by: RootFiles;
  readonly pathLength?: number;
}

/** A CA that another one has issued, with a key of its own; good unless the seed says otherwise. */
export async function aCa(seed: CaSeed): Promise<RootFiles> {
  const issuer = parseCertificatePem(seed.by.certificate);
  const pair = seed.pair ?? (await makeKeyPair("ec-p256"));
  const spki = subjectPublicKeyInfo(pair.publicKey);
  const der = await signCertificate(
    {
      issuer: decode(issuer.subject),
      subject: distinguishedName(["CN", seed.commonName ?? "Test CA"]),
      notBefore: seed.notBefore ?? new Date("2026-01-01T00:00:00Z"),
      notAfter: seed.notAfter ?? new Date("2036-01-01T00:00:00Z"),
      subjectPublicKeyInfo: spki,
      extensions: seed.extensions ?? [
        basicConstraints(seed.pathLength),
        certificateSigning(),
        subjectKeyIdentifier(keyIdentifier(spki)),
        authorityKeyIdentifier(issuer.subjectKeyId),
      ],
    },
    keyInMemory(createPrivateKey(seed.by.privateKey)),
  );
  return { certificate: certificatePem(der), privateKey: privateKeyPem(pair.privateKey) };
}

export function payloadOf({ certificate, privateKey }: RootFiles): Buffer {
  return Buffer.from(certificate + privateKey);
}

export async function aSigningRoot(seed: RootSeed = {}): Promise<SigningRoot> {
  return await readSigningRoot(payloadOf(await aRoot(seed)), "the test's root", keysInPayloads);
}

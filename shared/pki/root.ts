import type { ErrorCode } from "../core/answers/error-codes.ts";
import { sentenceTime } from "../core/time.ts";
import { MeshjoinError, RootError } from "../errors.ts";
import type { KeyReference, RootKeys, SigningKey } from "../ports/root-keys.ts";
import { type Certificate, parseCertificate } from "./certificate.ts";
import { keyWeakness, PRIVATE_KEY_LABELS } from "./key.ts";
import { derOfBlock, findPemBlocks, type PemBlock } from "./pem.ts";

/** A root CA with the key that signs. */
export interface SigningRoot {
  readonly certificate: Certificate;
  readonly key: SigningKey;
}

const PAYLOAD_CURE = "store one PEM certificate followed by its PEM private key";
const NEW_ROOT_CURE = "store a root CA that may sign intermediates";
const ROTATE_CURE = "add a new root and rotate to it";

/**
 * The certificate of a root's payload, fit to be a root of this mesh: for the trust bundle, which needs no
 * key. `name` is for messages. Checks no dates: members keep an expired root's certificate until it retires.
 * The caller wipes `payload`.
 *
 * Fails with RootError `RootPayloadMalformed`, `RootNotCa`, `RootPathLength` or `RootAlgorithm`.
 */
export function readRootCertificate(payload: Buffer, name: string): Certificate {
  const certificate = onlyCertificate(blocksOf(payload, name), name);
  if (!certificate.isCa || !certificate.canSignCertificates) {
    const missing = certificate.isCa ? "keyUsage lacks keyCertSign" : "basicConstraints lacks CA:TRUE";
    throw fault("RootNotCa", name, `is no certificate authority, its ${missing}`, NEW_ROOT_CURE);
  }
  if (certificate.pathLength === 0) {
    throw fault("RootPathLength", name, "has path length 0, so no CA may follow it", NEW_ROOT_CURE);
  }
  const weakness = keyWeakness(certificate.publicKey);
  if (weakness !== undefined) {
    throw fault(
      "RootAlgorithm",
      name,
      `cannot be used, ${weakness}`,
      "store a root with RSA 2048 to 4096, P-256 or P-384",
    );
  }
  return certificate;
}

/**
 * Certificate and key of a root's payload; `keys` opens the key that the payload refers to. The caller wipes
 * `payload`, whose bytes are nowhere else. Fails as `readRootCertificate` does, and with RootError
 * `RootKeyEncrypted` or `RootKeyMismatch`.
 */
export async function readSigningRoot(
  payload: Buffer,
  name: string,
  keys: RootKeys,
  signal?: AbortSignal,
): Promise<SigningRoot> {
  const certificate = readRootCertificate(payload, name);
  const reference = keyReference(blocksOf(payload, name), name);
  const key = await keys.open(reference, signal).catch((error: unknown) => {
    if (error instanceof MeshjoinError) throw error;
    // The error of node:crypto may tell the inside of a key, so it goes no further.
    throw malformed(name, "holds a private key that cannot be read");
  });
  if (!key.publicKey.equals(certificate.publicKey)) {
    throw fault(
      "RootKeyMismatch",
      name,
      "has a key that is not its certificate's",
      "store a certificate and its own key",
    );
  }
  return { certificate, key };
}

/**
 * Checks that the root can sign now, for at least `minimumLife` seconds: a shorter intermediate is not worth
 * issuing. Fails with RootError `RootExpired`, `RootNotYetValid` or `RootExpiring`.
 */
export function assertIssuing(certificate: Certificate, name: string, now: Date, minimumLife: number): void {
  const { notBefore, notAfter } = certificate;
  const ends = sentenceTime(notAfter);
  if (now < notBefore) {
    const begins = sentenceTime(notBefore);
    throw fault(
      "RootNotYetValid",
      name,
      `is valid only from ${begins}`,
      "wait, or correct the clock or the root",
    );
  }
  if (now > notAfter) {
    throw fault("RootExpired", name, `expired at ${ends}`, ROTATE_CURE);
  }
  if (notAfter.getTime() - now.getTime() < minimumLife * 1000) {
    throw fault(
      "RootExpiring",
      name,
      `ends at ${ends}, too soon for an intermediate of ${minimumLife} seconds`,
      ROTATE_CURE,
    );
  }
}

function onlyCertificate(blocks: readonly PemBlock[], name: string): Certificate {
  const [block, ...others] = blocks.filter(({ label }) => label === "CERTIFICATE");
  if (block === undefined) throw malformed(name, "holds no certificate");
  if (others.length > 0) throw malformed(name, `holds ${others.length + 1} certificates`);
  try {
    return parseCertificate(derOfBlock(block));
  } catch (cause) {
    throw malformed(name, "holds a certificate that cannot be read", cause);
  }
}

function keyReference(blocks: readonly PemBlock[], name: string): KeyReference {
  if (blocks.some(isEncrypted)) {
    throw fault(
      "RootKeyEncrypted",
      name,
      "has an encrypted key",
      "store it unencrypted, Secret Manager encrypts it",
    );
  }
  const [block, ...others] = blocks.filter(({ label }) => PRIVATE_KEY_LABELS.has(label));
  if (block === undefined) throw malformed(name, "holds no private key");
  if (others.length > 0) throw malformed(name, `holds ${others.length + 1} private keys`);
  return { kind: "pem", text: block.text };
}

/** PKCS#8 tells it in the label, older forms in a header (RFC 1421). */
function isEncrypted({ label, text }: PemBlock): boolean {
  return label === "ENCRYPTED PRIVATE KEY" || text.includes("Proc-Type: 4,ENCRYPTED");
}

function blocksOf(payload: Buffer, name: string): PemBlock[] {
  try {
    return findPemBlocks(payload);
  } catch (cause) {
    throw malformed(name, "is not PEM", cause);
  }
}

function malformed(name: string, message: string, cause?: unknown): RootError {
  return new RootError(`${name} ${message}`, {
    code: "RootPayloadMalformed",
    cure: PAYLOAD_CURE,
    cause,
    fields: { root: name },
  });
}

function fault(code: ErrorCode, name: string, message: string, cure: string): RootError {
  return new RootError(`${name} ${message}`, { code, cure, fields: { root: name } });
}

import { createPublicKey, type KeyObject } from "node:crypto";
import type { ErrorCode } from "../core/answers/error-codes.ts";
import { InputError } from "../errors.ts";
import { children, decode, encode, explicit, integer, sequence } from "./asn1.ts";
import { type KeyPair, keyWeakness, subjectPublicKeyInfo } from "./key.ts";
import { distinguishedName } from "./name.ts";
import { derOfBlock, findPemBlocks, pemOfDer } from "./pem.ts";
import { keyInMemory } from "./root-keys.ts";
import { isSignedBy, signed } from "./signature.ts";

const LABEL = "CERTIFICATE REQUEST";
const CURE =
  "send a PKCS#10 request in PEM, signed with SHA-2 by an RSA key of 2048 to 4096 bits or a P-256 or P-384 key";

/** PKCS#10. The common name is for people: the authority takes only the public key from a request. */
export async function makeCsr(pair: KeyPair, commonName: string): Promise<string> {
  const information = sequence(
    integer(0),
    distinguishedName(["CN", commonName]),
    decode(subjectPublicKeyInfo(pair.publicKey)),
    explicit(0),
  );
  return pemOfDer(LABEL, await signed(information, keyInMemory(pair.privateKey)));
}

/**
 * The public key of a request, whose signature proves that the sender holds the private one. Fails with
 * InputError `CsrMalformed`, `CsrSignatureInvalid` or `CsrKeyRefused`.
 */
export function readCsr(pem: string): KeyObject {
  const { der, publicKey } = parse(pem);
  const weakness = keyWeakness(publicKey);
  if (weakness !== undefined) throw refused("CsrKeyRefused", `the request's key is refused: ${weakness}`);
  if (!isSignedBy(der, publicKey)) {
    throw refused("CsrSignatureInvalid", "the request is not signed by the key that it names");
  }
  return publicKey;
}

function parse(pem: string): { der: Buffer; publicKey: KeyObject } {
  try {
    const blocks = findPemBlocks(Buffer.from(pem));
    const [block] = blocks;
    if (block?.label !== LABEL || blocks.length > 1) throw new Error(`one ${LABEL} block was expected`);
    const der = derOfBlock(block);
    const spki = children(children(decode(der))[0])[2];
    if (spki === undefined) throw new Error("the public key is missing");
    return { der, publicKey: createPublicKey({ key: encode(spki), format: "der", type: "spki" }) };
  } catch (cause) {
    throw refused("CsrMalformed", "the certificate request cannot be read", cause);
  }
}

function refused(code: ErrorCode, message: string, cause?: unknown): InputError {
  return new InputError(message, { code, cure: CURE, field: "csr", cause });
}

import { createPrivateKey, type KeyObject } from "node:crypto";
import { decode, encode, implicit, octetString, oid, sequence } from "../../../../../shared/pki/asn1.ts";
import { certificatePem } from "../../../../../shared/pki/bundle.ts";
import { parseBundle } from "../../../../../shared/pki/certificate.ts";
import { authorityKeyIdentifier, dnsName, EXTENSION } from "../../../../../shared/pki/extension.ts";
import {
  type KeyPair,
  keyIdentifier,
  makeKeyPair,
  privateKeyPem,
  subjectPublicKeyInfo,
} from "../../../../../shared/pki/key.ts";
import { distinguishedName } from "../../../../../shared/pki/name.ts";
import { keyInMemory } from "../../../../../shared/pki/root-keys.ts";
import { signCertificate, wholeSeconds } from "../../../../../shared/pki/sign-certificate.ts";

/** PEM, as a TLS server takes it. */
export interface TlsIdentity {
  readonly cert: string;
  readonly key: string;
}

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const ISTIOD = "istiod.istio-system.svc";

const keys = makeKeyPair("ec-p256");

/** Of a server on 127.0.0.1, whose clients trust this very certificate. */
export async function loopbackIdentity(): Promise<TlsIdentity> {
  const { publicKey, privateKey } = await keys;
  const name = distinguishedName(["O", "Meshjoin"], ["CN", "127.0.0.1"]);
  // RFC 5280 4.2.1.6: iPAddress is [7] of GeneralName.
  const address = sequence(implicit(7, Buffer.of(127, 0, 0, 1)));
  const der = await signCertificate(
    {
      issuer: name,
      subject: decode(encode(name)),
      ...validity(),
      subjectPublicKeyInfo: subjectPublicKeyInfo(publicKey),
      extensions: [sequence(oid(EXTENSION.subjectAltName), octetString(encode(address)))],
    },
    keyInMemory(privateKey),
  );
  return { cert: certificatePem(der), key: privateKeyPem(privateKey) };
}

/**
 * What istiod shows on its port for proxies: a leaf of its own, and the chain of the CA that it signs with
 * (`cacerts`, PEM).
 */
export async function istiodIdentity(caKeyPem: string, chainPem: string): Promise<TlsIdentity> {
  const pair = await keys;
  return {
    cert: (await leaf(pair, createPrivateKey(caKeyPem), chainPem)) + chainPem,
    key: privateKeyPem(pair.privateKey),
  };
}

async function leaf({ publicKey }: KeyPair, caKey: KeyObject, chainPem: string): Promise<string> {
  const [ca] = parseBundle(chainPem);
  if (ca === undefined) throw new TypeError("cacerts has no certificate");
  const spki = subjectPublicKeyInfo(publicKey);
  const request = {
    issuer: decode(ca.subject),
    subject: distinguishedName(["O", "Istio"]),
    ...validity(),
    subjectPublicKeyInfo: spki,
    extensions: [authorityKeyIdentifier(ca.subjectKeyId ?? keyIdentifier(spki)), dnsName(ISTIOD)],
  };
  return certificatePem(await signCertificate(request, keyInMemory(caKey)));
}

function validity() {
  const now = Date.now();
  return { notBefore: wholeSeconds(now - HOUR_MS), notAfter: wholeSeconds(now + DAY_MS) };
}

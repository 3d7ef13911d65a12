import type { Asn1 } from "../../../shared/pki/asn1.ts";
import { parseCertificatePem } from "../../../shared/pki/certificate.ts";
import {
  authorityKeyIdentifier,
  basicConstraints,
  certificateSigning,
  subjectKeyIdentifier,
} from "../../../shared/pki/extension.ts";
import { keyIdentifier, makeKeyPair, privateKeyPem, subjectPublicKeyInfo } from "../../../shared/pki/key.ts";
import { aCa, aKeyPair, aRoot, type RootFiles } from "../../support/pki/gen.ts";
import { type Subject, selfSigned } from "./certificates.ts";
import type { Verdicts } from "./judges.ts";

export interface Planted {
  readonly fault: string;
  /** Of the judges that do not say `ok`. */
  readonly seenBy: Readonly<Partial<Record<keyof Verdicts, RegExp>>>;
  readonly make: () => Promise<Subject>;
}

/** What no judge may pass over in silence; for each judge there is a fault that it sees. */
export const PLANTED: readonly Planted[] = [
  {
    fault: "the signature is of another key than the issuer's",
    seenBy: { openssl: /signature failure/, node: /not signed/, go: /unknown authority/ },
    async make() {
      const root = await aRoot();
      const { privateKey } = await makeKeyPair("ec-p256");
      return below(root, await aCa({ by: { ...root, privateKey: privateKeyPem(privateKey) } }));
    },
  },
  {
    fault: "a root has not signed itself",
    seenBy: {
      openssl: /signature failure/,
      node: /not signed/,
      go: /verification failure/,
      pkilint: /authority_key_identifier/,
    },
    async make() {
      const { publicKey } = await aKeyPair();
      const { privateKey } = await makeKeyPair("ec-p256");
      return selfSigned(await aRoot({ pair: { publicKey, privateKey } }));
    },
  },
  {
    fault: "the issuer has another name",
    seenBy: { openssl: /local issuer/, node: /not issued/, go: /unknown authority/ },
    async make() {
      const [root, namesake] = [await aRoot(), await aRoot({ commonName: "Another" })];
      return below(namesake, await aCa({ by: root }));
    },
  },
  {
    fault: "the issuer is no CA",
    seenBy: { openssl: /invalid CA/, node: /no CA/, go: /cannot sign/ },
    async make() {
      const { publicKey } = await aKeyPair();
      const id = subjectKeyIdentifier(keyIdentifier(subjectPublicKeyInfo(publicKey)));
      const root = await aRoot({ extensions: [certificateSigning(), id] });
      return below(root, await aCa({ by: root }));
    },
  },
  {
    fault: "the authority's key identifier is missing",
    seenBy: { openssl: /Missing Authority Key Identifier/, pkilint: /authority_key_identifier/ },
    make: async () => await withOnly((id) => [basicConstraints(0), certificateSigning(), id.subject]),
  },
  {
    fault: "the key usage is missing",
    seenBy: { openssl: /key usage/, pkilint: /no_ku_extension/ },
    make: async () => await withOnly((id) => [basicConstraints(0), id.subject, id.authority]),
  },
  {
    fault: "the subject's key identifier is missing",
    seenBy: { openssl: /Missing Subject Key Identifier/, pkilint: /skid_ca_missing/ },
    make: async () => await withOnly((id) => [basicConstraints(0), certificateSigning(), id.authority]),
  },
];

function below(root: RootFiles, { certificate }: RootFiles): Subject {
  return { root: root.certificate, between: [], certificate };
}

interface Identifiers {
  readonly subject: Asn1;
  readonly authority: Asn1;
}

/** An intermediate that has these extensions and no other. */
async function withOnly(extensionsOf: (identifiers: Identifiers) => readonly Asn1[]): Promise<Subject> {
  const root = await aRoot();
  const pair = await makeKeyPair("ec-p256");
  const { subjectKeyId } = parseCertificatePem(root.certificate);
  const extensions = extensionsOf({
    subject: subjectKeyIdentifier(keyIdentifier(subjectPublicKeyInfo(pair.publicKey))),
    authority: authorityKeyIdentifier(subjectKeyId),
  });
  return below(root, await aCa({ by: root, pair, extensions }));
}

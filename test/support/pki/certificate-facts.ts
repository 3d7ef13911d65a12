import { children, content, decode, encode, oidOf, tagged } from "../../../shared/pki/asn1.ts";

/** A certificate taken apart, so that a test can compare the whole of it; values are DER in hex. */
export interface CertificateFacts {
  readonly version: string;
  readonly serial: string;
  readonly algorithms: readonly [inner: string, outer: string];
  readonly issuer: string;
  readonly subject: string;
  /** ASN.1 type and text, as `17 260301115500Z`. */
  readonly validity: readonly string[];
  readonly publicKey: string;
  readonly extensions: readonly { readonly id: string; readonly critical: boolean; readonly value: string }[];
}

export function certificateFacts(der: Buffer): CertificateFacts {
  const [toBeSigned, outer] = children(decode(der));
  const fields = children(toBeSigned);
  const [version, serial, inner, issuer, validity, subject, spki] = fields;
  const hex = (node: (typeof fields)[number] | undefined) =>
    node === undefined ? "" : encode(node).toString("hex");
  return {
    version: hex(version),
    serial: content(serial).toString("hex"),
    algorithms: [hex(inner), hex(outer)],
    issuer: hex(issuer),
    subject: hex(subject),
    validity: children(validity).map((time) => `${time.type.toString(16)} ${content(time).toString()}`),
    publicKey: hex(spki),
    extensions: children(children(tagged(fields, 3))[0]).map((extension) => {
      const parts = children(extension);
      return {
        id: oidOf(parts[0]),
        critical: parts.length === 3,
        value: content(parts.at(-1)).toString("hex"),
      };
    }),
  };
}

import { X509Certificate } from "node:crypto";
import { z } from "zod";
import { fingerprint, splitBundle } from "../../shared/pki/bundle.ts";

/**
 * The certificates that a sidecar proves its identity with, and the roots that it trusts. Fingerprints,
 * SHA-256 in hex.
 */
export interface Side {
  readonly leaf: string;
  /** That signed the leaf. */
  readonly intermediate: string;
  /** That signed the intermediate; undefined if it is none of the trusted ones. */
  readonly root: string | undefined;
  /** All that are trusted, in their order. */
  readonly trusted: readonly string[];
}

const inline = z.object({ inline_bytes: z.string() });
const dumpSchema = z.object({
  configs: z.array(
    z.object({
      name: z.string().optional(),
      secret: z
        .object({
          tls_certificate: z.object({ certificate_chain: inline }).optional(),
          validation_context: z.object({ trusted_ca: inline }).optional(),
        })
        .optional(),
    }),
  ),
});

function certificates(text: { readonly inline_bytes: string } | undefined): Buffer[] {
  return text === undefined ? [] : splitBundle(Buffer.from(text.inline_bytes, "base64").toString("utf8"));
}

/** What a sidecar has sent to the endpoints of services. */
export interface Sent {
  readonly requests: number;
  readonly connections: number;
}

/** Reads `GET /clusters` of Envoy's admin port. */
export function readSent(clusters: string): Sent {
  const total = (counter: string) =>
    [...clusters.matchAll(new RegExp(`^outbound\\|.*::${counter}::(\\d+)$`, "gm"))].reduce(
      (sum, [, count]) => sum + Number(count),
      0,
    );
  return { requests: total("rq_total"), connections: total("cx_total") };
}

/**
 * Reads `GET /config_dump?resource=dynamic_active_secrets` of Envoy's admin port: what Envoy itself uses, not
 * what its agent has. Undefined while it has no certificate yet.
 */
export function readSide(dump: unknown): Side | undefined {
  const { configs } = dumpSchema.parse(dump);
  const secret = (name: string) => configs.find((each) => each.name === name)?.secret;
  const [leaf, intermediate] = certificates(secret("default")?.tls_certificate?.certificate_chain);
  const trusted = certificates(secret("ROOTCA")?.validation_context?.trusted_ca);
  if (leaf === undefined || intermediate === undefined) return undefined;
  const signed = new X509Certificate(intermediate);
  const root = trusted.find((der) => signed.verify(new X509Certificate(der).publicKey));
  return {
    leaf: fingerprint(leaf),
    intermediate: fingerprint(intermediate),
    root: root && fingerprint(root),
    trusted: trusted.map(fingerprint),
  };
}

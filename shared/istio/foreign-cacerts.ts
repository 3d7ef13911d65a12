import type { ForeignCacerts } from "../core/member/observation.ts";
import { parseBundle } from "../pki/certificate.ts";
import { cacertsFault } from "../pki/fault.ts";
import { type ForeignFaults, type ForeignFiles, verifyForeignCacerts } from "../pki/verify-foreign.ts";

interface Layout {
  readonly certificate: string;
  readonly privateKey: string;
  /** Read as one text, in this sequence. */
  readonly chain: readonly string[];
  readonly trustBundle: string;
  /** Read if it is there. */
  readonly revocationLists?: string;
}

/** Of Istio's own tools, and of Secrets of type `kubernetes.io/tls`, which cert-manager makes. */
const PEM_FILES: Layout = {
  certificate: "ca-cert.pem",
  privateKey: "ca-key.pem",
  chain: ["cert-chain.pem"],
  trustBundle: "root-cert.pem",
  revocationLists: "ca-crl.pem",
};
const TLS_FILES: Layout = {
  certificate: "tls.crt",
  privateKey: "tls.key",
  chain: ["tls.crt", "ca.crt"],
  trustBundle: "ca.crt",
};

/** `until`: when the first of its valid certificates expires. */
export type CacertsVerdict = Exclude<ForeignCacerts, { trust: "sameRoots" | "unknown" }> | Accepted;
export interface Accepted {
  readonly owner: "foreign";
  readonly trust: "sameRoots";
  readonly until: Date;
}

/** Made by an istiod without plugged-in certificates; Istio `security/pkg/pki/ca/ca.go`. */
const GENERATED = "istio-generated";

/**
 * Whether istiod and the mesh can use a foreign `cacerts`, by its data. istiod reads the files of one layout
 * alone (`detectSigningCABundleAndCRL` of Istio `pilot/pkg/bootstrap/istio_ca.go`), and does not start if one
 * of them is missing (`checkCABundleCompleteness` there).
 */
export function judgeCacerts(
  data: Readonly<Record<string, string>>,
  trustBundle: string,
  now: Date,
): CacertsVerdict {
  if (GENERATED in data) return { owner: "foreign", trust: "generated" };
  const { loading, trust } = faultsOf(data, trustBundle, now);
  const faults = [...new Set([...loading, ...trust].map(({ message }) => message))];
  if (faults.length === 0) return { owner: "foreign", trust: "sameRoots", until: firstExpiry(data, now) };
  return { owner: "foreign", trust: loading.length > 0 ? "unloadable" : "otherRoots", faults };
}

function firstExpiry(data: Readonly<Record<string, string>>, now: Date): Date {
  const { certificate, chain, trustBundle } = filesOf(layoutOf(data), data);
  const ends = [certificate, chain, trustBundle]
    .flatMap((pem) => parseBundle(pem))
    .map(({ notAfter }) => notAfter.getTime());
  return new Date(Math.min(...ends.filter((end) => end > now.getTime())));
}

function layoutOf(data: Readonly<Record<string, string>>): Layout {
  return TLS_FILES.certificate in data ? TLS_FILES : PEM_FILES;
}

function faultsOf(data: Readonly<Record<string, string>>, trustBundle: string, now: Date): ForeignFaults {
  const layout = layoutOf(data);
  const { certificate, privateKey, chain } = layout;
  const required = new Set([certificate, privateKey, ...chain, layout.trustBundle]);
  const missing = [...required].filter((name) => !(name in data));
  return missing.length > 0
    ? { loading: [cacertsFault("FileMissing", `it has no ${missing.join(" and no ")}`)], trust: [] }
    : verifyForeignCacerts(filesOf(layout, data), trustBundle, now);
}

function filesOf(layout: Layout, data: Readonly<Record<string, string>>): ForeignFiles {
  const text = (name = "") => Buffer.from(data[name] ?? "", "base64").toString("utf8");
  return {
    certificate: text(layout.certificate),
    privateKey: text(layout.privateKey),
    chain: layout.chain.map(text).join(""),
    trustBundle: text(layout.trustBundle),
    trustBundleName: layout.trustBundle,
    revocationLists: text(layout.revocationLists),
  };
}

import type { Cluster } from "../core/cluster/cluster.ts";
import { annotation, CACERTS, clusterId } from "../core/names.ts";
import { formatRootVersions } from "../core/roots/state.ts";
import type { MeshSpec } from "../core/spec.ts";
import { RootError } from "../errors.ts";
import { type CacertsMaterial, cacertsSecret, secretFile, secretRef } from "../istio/secrets.ts";
import { certificatePem } from "../pki/bundle.ts";
import { parseBundle, parseCertificatePem } from "../pki/certificate.ts";
import { makeCsr } from "../pki/csr.ts";
import { makeKeyPair, privateKeyPem } from "../pki/key.ts";
import { isSignedBy } from "../pki/signature.ts";
import { verifyCacerts } from "../pki/verify.ts";
import type { IssueHistory, IssueIntermediate } from "../plan/action.ts";
import type { KubernetesObject } from "../ports/kubernetes-object.ts";
import type { MemberApi } from "../ports/member-api.ts";
import type { Ports } from "../ports/ports.ts";
import { mint } from "./mint.ts";

/**
 * Makes a key for this cluster alone, has it certified, and verifies the whole set as istiod will. It writes
 * nothing.
 */
export async function prepareIntermediate(
  ports: Ports,
  spec: MeshSpec,
  cluster: Cluster,
  signal: AbortSignal,
): Promise<CacertsMaterial> {
  const pair = await makeKeyPair(spec.keyAlgorithm);
  const csr = await makeCsr(pair, clusterId(cluster.ref));
  const { certificate, trustBundle, rootVersions } = await ports.authority.issue(csr, cluster.ref, signal);
  const issued = parseCertificatePem(certificate);
  const roots = parseBundle(trustBundle);
  const issuer = roots.find(({ publicKey }) => isSignedBy(issued.der, publicKey));
  const material: CacertsMaterial = {
    certificate,
    privateKey: privateKeyPem(pair.privateKey),
    issuer: issuer === undefined ? "" : certificatePem(issuer.der),
    trustBundle,
    rootVersions,
    fingerprint: issued.fingerprint,
    rootFingerprints: roots.map(({ fingerprint }) => fingerprint),
    serial: issued.serial,
    notAfter: issued.notAfter,
    rootNotAfter: issuer?.notAfter ?? issued.notAfter,
  };
  assertValid(material, ports.clock.now());
  return material;
}

/** Of two runs at once one writes; the other accepts the result. Answers whether it wrote. */
export async function writeIntermediate(
  api: MemberApi,
  action: IssueIntermediate,
  material: CacertsMaterial,
  meshId: string,
  now: Date,
  signal: AbortSignal,
): Promise<boolean> {
  const { resourceVersion: replaces } = action;
  if (replaces !== undefined) {
    const existing = await api.reader.get(secretRef(CACERTS), signal);
    assertValid(material, now, existing && secretFile(existing, "root-cert.pem"));
  }
  const versions = formatRootVersions(material.rootVersions);
  const accepts = ({ metadata }: KubernetesObject) =>
    metadata.annotations?.[annotation("root-versions")] === versions;
  const cacerts = cacertsSecret(meshId, material, now);
  const annotations = { ...cacerts.metadata.annotations, ...onRecord(action.history, material, now) };
  const secret = { ...cacerts, metadata: { ...cacerts.metadata, annotations } };
  const { wrote } = await mint(api, secret, { meshId, replaces, accepts }, signal);
  return wrote;
}

function onRecord(
  { isFirst, joinedAt, versionsLoaded }: IssueHistory,
  { rootVersions }: CacertsMaterial,
  now: Date,
): Record<string, string> {
  const joined = isFirst ? now : joinedAt;
  const loaded =
    versionsLoaded?.rootVersions === formatRootVersions(rootVersions) ? versionsLoaded.at : undefined;
  return {
    ...(joined === undefined ? {} : { [annotation("joined-at")]: joined.toISOString() }),
    ...(loaded === undefined ? {} : { [annotation("versions-loaded-at")]: loaded.toISOString() }),
  };
}

function assertValid(material: CacertsMaterial, now: Date, bundleBefore?: string): void {
  const { certificate, privateKey, issuer, trustBundle } = material;
  const files = { certificate, privateKey, chain: certificate + issuer, trustBundle };
  const faults = verifyCacerts(files, now, bundleBefore);
  if (faults.length === 0) return;
  throw new RootError(
    `the issued certificate cannot be used: ${faults.map(({ message }) => message).join("; ")}`,
    { code: "CertificateInvalid", cure: "check the root secret", fields: { fault: faults[0]?.reason ?? "" } },
  );
}

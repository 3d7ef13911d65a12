import type { Cluster } from "../core/cluster.ts";
import { annotation, CACERTS, clusterId } from "../core/names.ts";
import { formatRootVersions } from "../core/roots/state.ts";
import type { MeshSpec } from "../core/spec.ts";
import { ConflictError, RootError } from "../errors.ts";
import { ownerOf } from "../istio/ownership.ts";
import { type CacertsMaterial, cacertsSecret, secretFile, secretRef } from "../istio/secrets.ts";
import { certificatePem } from "../pki/bundle.ts";
import { parseBundle, parseCertificatePem } from "../pki/certificate.ts";
import { makeCsr } from "../pki/csr.ts";
import { makeKeyPair, privateKeyPem } from "../pki/key.ts";
import { isSignedBy } from "../pki/signature.ts";
import { verifyCacerts } from "../pki/verify.ts";
import type { IssueIntermediate } from "../plan/action.ts";
import type { MemberApi, Ports } from "../ports.ts";

/**
 * Makes a key for this cluster alone, has it certified and verifies the whole set as istiod will. Nothing is written
 * yet: a root that cannot sign must leave no trace.
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

/**
 * Created with POST or replaced under its resourceVersion (design rule 4), so of two runs at once one wins. The loser
 * accepts what it finds if that stands for the same roots. Answers whether it wrote.
 */
export async function writeIntermediate(
  api: MemberApi,
  action: IssueIntermediate,
  material: CacertsMaterial,
  meshId: string,
  now: Date,
  signal: AbortSignal,
): Promise<boolean> {
  const secret = cacertsSecret(meshId, material, now);
  if (action.resourceVersion === undefined) {
    try {
      await api.writer.create(secret, signal);
      return true;
    } catch (error) {
      if (!(error instanceof ConflictError) || error.code !== "AlreadyExists") throw error;
      await assertEquivalent(api, material, meshId, signal, error);
      return false;
    }
  }
  const existing = await api.reader.get(secretRef(CACERTS), signal);
  const before = existing === undefined ? undefined : secretFile(existing, "root-cert.pem");
  assertValid(material, now, before);
  const metadata = { ...secret.metadata, resourceVersion: action.resourceVersion };
  await api.writer.replace({ ...secret, metadata }, signal);
  return true;
}

function assertValid(material: CacertsMaterial, now: Date, bundleBefore?: string): void {
  const { certificate, privateKey, issuer, trustBundle } = material;
  const files = { certificate, privateKey, chain: certificate + issuer, trustBundle };
  const faults = verifyCacerts(files, now, bundleBefore);
  if (faults.length === 0) return;
  throw new RootError(
    `the issued certificate cannot be used: ${faults.map(({ message }) => message).join("; ")}; check the root secret`,
    { code: faults[0]?.reason ?? "CertificateInvalid" },
  );
}

async function assertEquivalent(
  api: MemberApi,
  material: CacertsMaterial,
  meshId: string,
  signal: AbortSignal,
  cause: unknown,
): Promise<void> {
  const found = await api.reader.get(secretRef(CACERTS), signal);
  const stands = found?.metadata.annotations?.[annotation("root-versions")];
  const ours = found !== undefined && ownerOf(found.metadata, meshId) === "ours";
  if (ours && stands === formatRootVersions(material.rootVersions)) return;
  throw new ConflictError(`Secret ${CACERTS} was created by another run; the event is delivered again`, {
    code: "Conflict",
    cause,
  });
}

import type { KeyObject } from "node:crypto";
import type { Finding } from "../core/answers/finding.ts";
import type { ClusterRef } from "../core/cluster/cluster.ts";
import { clusterId, rootSecretName } from "../core/names.ts";
import { noSigningRoot } from "../core/roots/no-signing-root.ts";
import { bundleVersions, type RootVersions } from "../core/roots/state.ts";
import { INTERMEDIATE_TO_WORKLOAD, type MeshSpec } from "../core/spec.ts";
import { RootError } from "../errors.ts";
import type { Clock } from "../ports/clock.ts";
import type { Fitness, IssuedCertificate, RootAuthority, TrustBundle } from "../ports/root-authority.ts";
import type { RootKeys } from "../ports/root-keys.ts";
import type { RootStore } from "../ports/root-store.ts";
import { joinBundle, splitBundle } from "./bundle.ts";
import { readCsr } from "./csr.ts";
import { issueIntermediate } from "./intermediate.ts";
import { assertIssuing, readRootCertificate, readSigningRoot, type SigningRoot } from "./root.ts";

export interface AuthorityOptions {
  readonly store: RootStore;
  readonly keys: RootKeys;
  readonly clock: Clock;
  readonly spec: MeshSpec;
}

/** The certificate authority inside this process: it alone reads the root secret's payloads. */
export function inProcessAuthority(options: AuthorityOptions): RootAuthority {
  return {
    async trustBundle(signal) {
      return await withRoots(options, signal, bundleOf);
    },
    async check(signal) {
      return await withRoots(options, signal, (roots) => fitnessOf(options, roots));
    },
    async issue(csrPem, member, signal) {
      const publicKey = readCsr(csrPem);
      return await withRoots(options, signal, (roots) => issue(options, roots, publicKey, member));
    },
  };
}

interface RootPayload {
  readonly version: number;
  /** For messages: which root is at fault. */
  readonly name: string;
  readonly payload: Buffer;
}

/** The claimed roots in Secret Manager, for the length of one call. */
interface Roots {
  readonly versions: RootVersions;
  /** In version order. */
  readonly payloads: readonly RootPayload[];
  readonly now: Date;
  readonly signal: AbortSignal | undefined;
}

/** Reads state and payloads once, and wipes the payloads even after a failure. */
async function withRoots<T>(
  { store, spec, clock }: AuthorityOptions,
  signal: AbortSignal | undefined,
  use: (roots: Roots) => T | Promise<T>,
): Promise<T> {
  const secret = rootSecretName(spec.meshId);
  const { versions } = await store.state(signal);
  const unsigned = noSigningRoot(spec, versions);
  if (unsigned !== undefined) throw rootError(unsigned, secret);
  const reads = await Promise.allSettled(
    bundleVersions(versions).map(async (version) => ({
      version,
      name: `version ${version} of secret ${secret}`,
      payload: await store.payload(version, signal),
    })),
  );
  const payloads = reads.flatMap((read) => (read.status === "fulfilled" ? [read.value] : []));
  try {
    for (const read of reads) if (read.status === "rejected") throw read.reason;
    return await use({ versions, payloads, now: clock.now(), signal });
  } finally {
    for (const { payload } of payloads) payload.fill(0);
  }
}

function bundleOf({ versions, payloads }: Roots): TrustBundle {
  const certificates = payloads.map(({ payload, name }) => readRootCertificate(payload, name));
  return { trustBundle: joinBundle(certificates.map(({ der }) => der)), rootVersions: versions };
}

async function issue(
  options: AuthorityOptions,
  roots: Roots,
  publicKey: KeyObject,
  member: ClusterRef,
): Promise<IssuedCertificate> {
  const { spec } = options;
  const bundle = bundleOf(roots);
  const root = await signingRoot(options, roots);
  const certificate = await issueIntermediate({
    root,
    publicKey,
    clusterId: clusterId(member),
    now: roots.now,
    ttl: spec.intermediateTtl,
    clockSkew: spec.clockSkew,
  });
  return { certificate, ...bundle };
}

async function fitnessOf(options: AuthorityOptions, roots: Roots): Promise<Fitness> {
  const { trustBundle, rootVersions } = bundleOf(roots);
  if (splitBundle(trustBundle).length < roots.payloads.length) {
    throw new RootError("two versions hold the same certificate", {
      code: "RootTwice",
      cure: "give the aliases to different roots",
    });
  }
  const { certificate } = await signingRoot(options, roots);
  return { rootVersions, signsUntil: certificate.notAfter };
}

/** The root that signs, if it can sign now. */
async function signingRoot(
  { keys, spec }: AuthorityOptions,
  { versions, payloads, now, signal }: Roots,
): Promise<SigningRoot> {
  const signing = payloads.find(({ version }) => version === versions.signing);
  if (signing === undefined) throw new TypeError("the payload of the version that signs was not read");
  const root = await readSigningRoot(signing.payload, signing.name, keys, signal);
  assertIssuing(root.certificate, signing.name, now, INTERMEDIATE_TO_WORKLOAD * spec.workloadTtl);
  return root;
}

function rootError({ reason, message, cure }: Finding, secret: string): RootError {
  return new RootError(message, { code: reason, cure, fields: { secret } });
}

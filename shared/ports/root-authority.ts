import type { ClusterRef } from "../core/cluster/cluster.ts";
import type { RootVersions } from "../core/roots/state.ts";

/** PEM certificates of the claimed roots in version order, and the alias map they stand for. */
export interface TrustBundle {
  readonly trustBundle: string;
  readonly rootVersions: RootVersions;
}

export interface IssuedCertificate extends TrustBundle {
  /** PEM, the intermediate alone. */
  readonly certificate: string;
}

/** The claimed roots that an authority can sign with now, and until when that is so. */
export interface Fitness {
  readonly rootVersions: RootVersions;
  readonly signsUntil: Date;
}

/** Signs for members. It alone decides subject, extensions and lifetime; a CSR contributes its public key. */
export interface RootAuthority {
  trustBundle(signal?: AbortSignal): Promise<TrustBundle>;
  /** Whether `issue` would find a root that it can sign with; opens its key, and signs nothing. Fails as `issue` does, and with RootError `RootTwice`. */
  check(signal?: AbortSignal): Promise<Fitness>;
  issue(csrPem: string, member: ClusterRef, signal?: AbortSignal): Promise<IssuedCertificate>;
}

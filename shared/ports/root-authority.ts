import type { ClusterRef } from "../core/cluster/cluster.ts";
import type { RootVersions } from "../core/roots/state.ts";

/** PEM certificates of the claimed roots in version order, and the alias map that they belong to. */
export interface TrustBundle {
  readonly trustBundle: string;
  readonly rootVersions: RootVersions;
}

export interface IssuedCertificate extends TrustBundle {
  /** PEM, the intermediate alone. */
  readonly certificate: string;
}

/** The claimed roots that an authority can sign with now, and the end of that time. */
export interface Fitness {
  readonly rootVersions: RootVersions;
  readonly signsUntil: Date;
}

/** Signs for members. It alone decides subject, extensions and lifetime; of a CSR it takes the public key. */
export interface RootAuthority {
  trustBundle(signal?: AbortSignal): Promise<TrustBundle>;
  /**
   * Whether `issue` would find a root to sign with; opens the key, and signs nothing. Fails as `issue` does,
   * and with RootError `RootTwice`.
   */
  check(signal?: AbortSignal): Promise<Fitness>;
  issue(csrPem: string, member: ClusterRef, signal?: AbortSignal): Promise<IssuedCertificate>;
}

import type { EndpointKind } from "./cluster/cluster.ts";

export const KEY_ALGORITHMS = ["ec-p256", "ec-p384", "rsa-2048", "rsa-3072", "rsa-4096"] as const;
export type KeyAlgorithm = (typeof KEY_ALGORITHMS)[number];

/**
 * The least life of an intermediate, in lives of the workload certificates that it signs: it is to be replaced long
 * before it limits them, with runs that fail in between.
 */
export const INTERMEDIATE_TO_WORKLOAD = 6;

export type Access = "auto" | EndpointKind;

/** What the operator wants: the configuration, parsed. Every duration is in seconds. */
export interface MeshSpec {
  readonly meshId: string;
  /** Never empty, no duplicates. */
  readonly projects: readonly string[];
  /** The project that holds the root secret. */
  readonly rootProject: string;
  /** The GKE resource label whose value must equal the mesh ID. */
  readonly meshLabel: string;
  /** Globs over cluster names; empty allows all. */
  readonly allow: readonly string[];
  /** Of the intermediates' keys. */
  readonly keyAlgorithm: KeyAlgorithm;
  readonly intermediateTtl: number;
  readonly workloadTtl: number;
  readonly clockSkew: number;
  /** What is asked for; everything else follows from what the target grants. */
  readonly tokenTtl: number;
  /** Of all members, how many may leave in one run on the word of a label or a list. */
  readonly massLeaveShare: number;
  /** Of all members, how many get another intermediate at a time. */
  readonly rotationShare: number;
  /** How Meshjoin itself reaches API servers. */
  readonly accessFunction: Access;
  /** Which address stands in remote secrets. */
  readonly accessPeers: Access;
  /** Registry and path of Istio's images; undefined: where the pinned release publishes them. */
  readonly istioHub?: string;
}

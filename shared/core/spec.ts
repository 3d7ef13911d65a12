import type { EndpointKind } from "./cluster/cluster.ts";
import type { Exposure } from "./network/gateway.ts";

export const KEY_ALGORITHMS = ["ec-p256", "ec-p384", "rsa-2048", "rsa-3072", "rsa-4096"] as const;
export type KeyAlgorithm = (typeof KEY_ALGORITHMS)[number];

/**
 * The least life of an intermediate, in lives of the workload certificates that it signs. Meshjoin must
 * replace it long before it limits them, even if some runs fail.
 */
export const INTERMEDIATE_TO_WORKLOAD = 6;

export type Access = "auto" | EndpointKind;

/** `auto`: a member has an east-west gateway while members of other networks can use it. */
export const GATEWAY_POLICIES = ["auto", "always", "never"] as const;
export type GatewayPolicy = (typeof GATEWAY_POLICIES)[number];

/** `on`: each member keeps a probe, and each full run asks it whether requests pass. */
export const PROBE_POLICIES = ["off", "on"] as const;
export type ProbePolicy = (typeof PROBE_POLICIES)[number];

/**
 * Where requests go while several members have endpoints of a Service. `on`: own cluster, own region, the
 * rest. `zone`: own zone before the rest of the own cluster.
 */
export const FAILOVER_POLICIES = ["on", "zone", "off"] as const;
export type FailoverPolicy = (typeof FAILOVER_POLICIES)[number];
/** `on`: each member has an ingress, which takes requests from outside the mesh. */
export const INGRESS_POLICIES = ["off", "on"] as const;
export type IngressPolicy = (typeof INGRESS_POLICIES)[number];

/** `on`: sidecars answer the DNS queries of their pods, also for Services of other members alone. */
export const DNS_CAPTURE_POLICIES = ["off", "on"] as const;
export type DnsCapturePolicy = (typeof DNS_CAPTURE_POLICIES)[number];

/** The operator's configuration, parsed. Every duration is in seconds. */
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
  /** The life that Meshjoin asks for; the target may grant another, and that one counts. */
  readonly tokenTtl: number;
  /** The share of the members that may leave within the grace because they lost their label. */
  readonly massLeaveShare: number;
  /** The share of the members that may be drained without a confirmation. */
  readonly drainShare: number;
  /** How long a dead member is silent before Meshjoin drains it; undefined: it never does. */
  readonly drainAfter?: number;
  /** How long the members keep their credentials of one that has lost its label. */
  readonly leaveGrace: number;
  /** The share of the members that get another intermediate at a time. */
  readonly rotationShare: number;
  readonly gateways: GatewayPolicy;
  /** Of the east-west gateways of members without a label of their own for it. */
  readonly gatewayExposure: Exposure;
  /** The only addresses that the gateways' load balancers let in; empty: all. */
  readonly gatewaySourceRanges: readonly string[];
  /**
   * How long a new gateway is up before istiods may know it beside another one, and how long one that they
   * are to forget stays.
   */
  readonly gatewaySettle: number;
  /** Groups of networks whose internal load balancers reach each other; no network is in two. */
  readonly connectedNetworks: readonly (readonly string[])[];
  readonly probe: ProbePolicy;
  readonly failover: FailoverPolicy;
  readonly ingress: IngressPolicy;
  /** The Secret in each member with the certificate of port 443; undefined: the ingress has no 443. */
  readonly ingressTlsSecret?: string;
  readonly dnsCapture: DnsCapturePolicy;
  /** How Meshjoin itself reaches API servers. */
  readonly accessFunction: Access;
  /** The endpoint whose address stands in remote secrets. */
  readonly accessPeers: Access;
  /** Registry and path of Istio's images; undefined: those of the pinned release. */
  readonly istioHub?: string;
}

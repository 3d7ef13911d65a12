import type { Cluster } from "../cluster/cluster.ts";
import type { MeshSpec } from "../spec.ts";

/** The GKE resource label that says how a member's east-west gateway is exposed, or that it has none. */
export const MESH_GATEWAY_LABEL = "mesh_gateway";

/** The port of the cross-network listener; Istio `pilot/pkg/serviceregistry/kube/controller/network.go`. */
export const GATEWAY_PORT = 15_443;

/** Whether an east-west gateway's load balancer has an address in the VPC or one on the internet. */
export const EXPOSURES = ["internal", "external"] as const;
export type Exposure = (typeof EXPOSURES)[number];

/** What label `mesh_gateway` may be. */
export const GATEWAY_LABELS = [...EXPOSURES, "none"] as const;

/** By the cluster's label, else by the configuration. A label of another value counts as none. */
export function exposureOf(cluster: Cluster, spec: Pick<MeshSpec, "gatewayExposure">): Exposure | "none" {
  const label = cluster.labels[MESH_GATEWAY_LABEL];
  return GATEWAY_LABELS.find((value) => value === label) ?? spec.gatewayExposure;
}

export function isGatewayLabel(value: string): boolean {
  return GATEWAY_LABELS.some((label) => label === value);
}

/** An east-west gateway as its own cluster shows it: a Service with the label of a network. */
export interface GatewayState {
  /** Of the Service. */
  readonly service: string;
  /** Of the Gateway that istiod made it for; undefined for one that a person has made. */
  readonly gateway: string | undefined;
  /** Empty: no istiod takes it for a gateway, which Meshjoin so hides. */
  readonly network: string;
  /** Annotation `gateway-settings`, verbatim; undefined for a gateway that is not Meshjoin's. */
  readonly settings: string | undefined;
  readonly exposure: Exposure;
  /** IP addresses or host names that its load balancer has given it. */
  readonly addresses: readonly string[];
  /** A pod behind it is ready. */
  readonly isServing: boolean;
  /** Annotation `settling-since` of a hidden one: when a run found it up, or hid it. */
  readonly settlingSince?: Date | undefined;
}

/**
 * Whether istiods of other clusters learn of it, and requests get through. The Gateway's own condition
 * `Programmed` tells neither: it counts pods of other clusters, and stays when they go; Istio
 * `pilot/pkg/config/kube/gateway`.
 */
export function isUp({ addresses, isServing }: Pick<GatewayState, "addresses" | "isServing">): boolean {
  return addresses.length > 0 && isServing;
}

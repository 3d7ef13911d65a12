/** The name of a GKE cluster: `projects/P/locations/L/clusters/C`. */
export interface ClusterRef {
  readonly project: string;
  /** A region or a zone; GKE's own word for both is location. */
  readonly location: string;
  readonly name: string;
}

/**
 * The statuses of GKE's `Cluster.Status`;
 * https://cloud.google.com/kubernetes-engine/docs/reference/rest/v1/projects.locations.clusters#status
 */
export type ClusterStatus =
  | "STATUS_UNSPECIFIED"
  | "PROVISIONING"
  | "RUNNING"
  | "RECONCILING"
  | "STOPPING"
  | "ERROR"
  | "DEGRADED";

/** The VPC that a cluster's pods live in. Its project is the host project of a shared VPC. */
export interface VpcRef {
  readonly project: string;
  readonly name: string;
}

export const ENDPOINT_KINDS = ["dns", "private", "public"] as const;
export type EndpointKind = (typeof ENDPOINT_KINDS)[number];

/**
 * One way to an API server. `caData` (base64 of PEM, as in a kubeconfig) is the cluster's own CA; the
 * DNS-based endpoint presents a publicly trusted certificate instead, so it has none.
 */
export interface Endpoint {
  readonly kind: EndpointKind;
  /** `https://host[:port]`. */
  readonly server: string;
  readonly caData?: string;
}

export interface ClusterEndpoints {
  readonly public?: Endpoint;
  readonly private?: Endpoint;
  readonly dns?: Endpoint & {
    /** Whether it takes user traffic (`allowExternalTraffic`), not only Google's own services. */
    readonly allowsExternalTraffic: boolean;
    /** Whether the endpoint lets Kubernetes service-account tokens in (`enableK8sTokensViaDns`). */
    readonly allowsKubernetesTokens: boolean;
  };
}

/** Addresses of a cluster's pods. GKE gives an additional range by name alone until a node pool uses it. */
export interface PodRanges {
  /** `10.4.0.0/14`, each once. */
  readonly cidrs: readonly string[];
  /** Of secondary ranges of the subnetwork. */
  readonly namesOnly: readonly string[];
}

/** A cluster as the GKE API describes it, reduced to what a mesh needs to know. */
export interface Cluster {
  readonly ref: ClusterRef;
  /** GKE's `Cluster.id`: unlike the name it is never used again. */
  readonly id: string;
  readonly status: ClusterStatus;
  readonly labels: Readonly<Record<string, string>>;
  readonly network: VpcRef;
  /** Pods with alias IP addresses: routable in the whole VPC. */
  readonly vpcNative: boolean;
  /** Those of the cluster and of node pools with ranges of their own; IPv4. */
  readonly podRanges: PodRanges;
  /** Of its Services; IPv4. Empty until GKE names it. */
  readonly serviceRange: string;
  /** Google runs the nodes, and refuses pods that ask for too many rights. */
  readonly autopilot: boolean;
  /** On Autopilot: whether pods may have the capability NET_ADMIN, as `istio-init` does. */
  readonly allowNetAdmin: boolean;
  /**
   * Some of its nodes, or all, have no public address. Without Cloud NAT they reach nothing on the internet.
   */
  readonly privateNodes: boolean;
  /** GKE adds nodes for pods that fit on none. */
  readonly addsNodes: boolean;
  /** Empty while GKE is still making the cluster. */
  readonly kubernetesVersion: string;
  readonly endpoints: ClusterEndpoints;
}

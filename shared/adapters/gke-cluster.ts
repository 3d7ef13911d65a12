import { isIPv6 } from "node:net";
import type { protos } from "@google-cloud/container";
import type {
  Cluster,
  ClusterEndpoints,
  ClusterStatus,
  Endpoint,
  PodRanges,
  VpcRef,
} from "../core/cluster/cluster.ts";

type GkeCluster = protos.google.container.v1.ICluster;

/** `google.container.v1.Cluster.Status`, by number. */
const STATUSES: readonly ClusterStatus[] = [
  "STATUS_UNSPECIFIED",
  "PROVISIONING",
  "RUNNING",
  "RECONCILING",
  "STOPPING",
  "ERROR",
  "DEGRADED",
];

/** The answer names no project, so the question does. Absent fields arrive as null, as "" or not at all. */
export function toCluster(project: string, cluster: GkeCluster): Cluster {
  return {
    ref: { project, location: cluster.location ?? "", name: cluster.name ?? "" },
    id: cluster.id ?? "",
    status: toStatus(cluster.status),
    labels: { ...cluster.resourceLabels },
    network: toVpc(project, cluster),
    vpcNative: cluster.ipAllocationPolicy?.useIpAliases === true,
    podRanges: toPodRanges(cluster),
    serviceRange: toServiceRange(cluster),
    autopilot: cluster.autopilot?.enabled === true,
    allowNetAdmin: cluster.autopilot?.workloadPolicyConfig?.allowNetAdmin === true,
    privateNodes: hasPrivateNodes(cluster),
    addsNodes: addsNodes(cluster),
    kubernetesVersion: cluster.currentMasterVersion ?? "",
    endpoints: toEndpoints(cluster),
  };
}

/** Enum values come as names or numbers. A status that this version does not know makes no member. */
function toStatus(status: string | number | null | undefined): ClusterStatus {
  const name = typeof status === "number" ? STATUSES[status] : STATUSES.find((each) => each === status);
  return name ?? "STATUS_UNSPECIFIED";
}

const NETWORK = /^projects\/(?<project>[^/]+)\/global\/networks\/(?<name>[^/]+)$/;

/** `networkConfig` has the full name with a shared VPC's host project, `network` only its last part. */
function toVpc(project: string, cluster: GkeCluster): VpcRef {
  const groups = NETWORK.exec(cluster.networkConfig?.network ?? "")?.groups;
  return {
    project: groups?.["project"] ?? project,
    name: groups?.["name"] ?? (cluster.network || "default"),
  };
}

/**
 * A node pool gives its range with name and addresses; the cluster's additional ranges are names alone. Some
 * fields are empty until the cluster runs.
 */
function toPodRanges({ ipAllocationPolicy: policy, ...cluster }: GkeCluster): PodRanges {
  const pools = (cluster.nodePools ?? []).map(({ networkConfig }) => ({
    name: networkConfig?.podRange,
    cidr: networkConfig?.podIpv4CidrBlock,
  }));
  const ranges = [
    {
      name: policy?.clusterSecondaryRangeName,
      cidr: policy?.clusterIpv4CidrBlock || policy?.clusterIpv4Cidr || cluster.clusterIpv4Cidr,
    },
    ...pools,
  ];
  const additional = policy?.additionalPodRangesConfig;
  const names = [
    ...ranges.map(({ name }) => name),
    ...(additional?.podRangeNames ?? []),
    ...(additional?.podRangeInfo ?? []).map(({ rangeName }) => rangeName),
    ...(policy?.additionalIpRangesConfigs ?? []).flatMap(({ podIpv4RangeNames }) => podIpv4RangeNames ?? []),
  ];
  const resolved = new Set(ranges.filter(({ cidr }) => cidr).map(({ name }) => name));
  return {
    cidrs: [...new Set(ranges.flatMap(({ cidr }) => cidr || []))],
    namesOnly: [...new Set(names.flatMap((name) => (name && !resolved.has(name) ? [name] : [])))],
  };
}

function toServiceRange({ ipAllocationPolicy: policy, servicesIpv4Cidr }: GkeCluster): string {
  return policy?.servicesIpv4CidrBlock || policy?.servicesIpv4Cidr || servicesIpv4Cidr || "";
}

/** Whether GKE adds nodes: an autoscaled node pool, auto-provisioning, or Autopilot. */
function addsNodes({ autopilot, autoscaling, nodePools }: GkeCluster): boolean {
  return [
    autopilot?.enabled,
    autoscaling?.enableNodeAutoprovisioning,
    ...(nodePools ?? []).map((pool) => pool.autoscaling?.enabled),
  ].includes(true);
}

/** `networkConfig` superseded `privateClusterConfig`; a node pool may differ. */
function hasPrivateNodes({ networkConfig, privateClusterConfig, nodePools }: GkeCluster): boolean {
  return [
    networkConfig?.defaultEnablePrivateNodes,
    privateClusterConfig?.enablePrivateNodes,
    ...(nodePools ?? []).map((pool) => pool.networkConfig?.enablePrivateNodes),
  ].includes(true);
}

function toEndpoints(cluster: GkeCluster): ClusterEndpoints {
  const dns = cluster.controlPlaneEndpointsConfig?.dnsEndpointConfig;
  const caData = cluster.masterAuth?.clusterCaCertificate;
  const addresses = ipAddresses(cluster);
  return {
    ...(addresses.public ? { public: ipEndpoint("public", addresses.public, caData) } : {}),
    ...(addresses.private ? { private: ipEndpoint("private", addresses.private, caData) } : {}),
    ...(dns?.endpoint
      ? {
          dns: {
            kind: "dns",
            server: `https://${dns.endpoint}`,
            allowsExternalTraffic: dns.allowExternalTraffic === true,
            allowsKubernetesTokens: dns.enableK8sTokensViaDns === true,
          },
        }
      : {}),
  };
}

type Addresses = Partial<Record<"public" | "private", string | null | undefined>>;

/**
 * `controlPlaneEndpointsConfig.ipEndpointsConfig` superseded `privateClusterConfig`; GKE fills both today.
 * Before either, `endpoint` alone held the public address.
 */
function ipAddresses(cluster: GkeCluster): Addresses {
  const config = cluster.controlPlaneEndpointsConfig?.ipEndpointsConfig;
  const legacy = cluster.privateClusterConfig;
  if (config?.enabled === false) return {};
  const privateAddress = config?.privateEndpoint || legacy?.privateEndpoint;
  if (config?.enablePublicEndpoint === false || legacy?.enablePrivateEndpoint === true) {
    return { private: privateAddress || cluster.endpoint };
  }
  return {
    public: config?.publicEndpoint || legacy?.publicEndpoint || cluster.endpoint,
    private: privateAddress,
  };
}

function ipEndpoint(
  kind: "public" | "private",
  address: string,
  caData: string | null | undefined,
): Endpoint {
  const host = isIPv6(address) ? `[${address}]` : address;
  return { kind, server: `https://${host}`, ...(caData ? { caData } : {}) };
}

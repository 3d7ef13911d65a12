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

/** The answer names no project, so it comes from the question. Absent fields arrive as null, "" or not at all. */
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

/** Enum values come as names or numbers; a status that this version does not know is no member's. */
function toStatus(status: string | number | null | undefined): ClusterStatus {
  const name = typeof status === "number" ? STATUSES[status] : STATUSES.find((each) => each === status);
  return name ?? "STATUS_UNSPECIFIED";
}

const NETWORK = /^projects\/(?<project>[^/]+)\/global\/networks\/(?<name>[^/]+)$/;

/** `networkConfig` holds the full name, with the host project of a shared VPC; `network` only the last part of it. */
function toVpc(project: string, cluster: GkeCluster): VpcRef {
  const groups = NETWORK.exec(cluster.networkConfig?.network ?? "")?.groups;
  return {
    project: groups?.["project"] ?? project,
    name: groups?.["name"] ?? (cluster.network || "default"),
  };
}

/**
 * Node pools say the addresses of their range beside its name; the cluster's additional ranges are names. Before the cluster
 * runs some of it is empty.
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
  const told = new Set(ranges.filter(({ cidr }) => cidr).map(({ name }) => name));
  return {
    cidrs: [...new Set(ranges.flatMap(({ cidr }) => cidr || []))],
    namesOnly: [...new Set(names.flatMap((name) => (name && !told.has(name) ? [name] : [])))],
  };
}

function toServiceRange({ ipAllocationPolicy: policy, servicesIpv4Cidr }: GkeCluster): string {
  return policy?.servicesIpv4CidrBlock || policy?.servicesIpv4Cidr || servicesIpv4Cidr || "";
}

/** The autoscaler works on node pools that let it, auto-provisioning makes new ones, and Autopilot always does. */
function addsNodes({ autopilot, autoscaling, nodePools }: GkeCluster): boolean {
  return [
    autopilot?.enabled,
    autoscaling?.enableNodeAutoprovisioning,
    ...(nodePools ?? []).map((pool) => pool.autoscaling?.enabled),
  ].includes(true);
}

/** `networkConfig` superseded `privateClusterConfig`; a node pool may have its own way. */
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
 * `controlPlaneEndpointsConfig.ipEndpointsConfig` superseded `privateClusterConfig`; both are filled today. Before
 * either, `endpoint` alone named the public address.
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

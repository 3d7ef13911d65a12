import { createHash, randomBytes } from "node:crypto";
import { overlap, parseRange } from "../../../shared/core/cluster/address-ranges.ts";
import type { ClusterRef, ClusterStatus, VpcRef } from "../../../shared/core/cluster/cluster.ts";
import { GOOGLES_SERVICE_RANGE } from "../../cluster/service-range.ts";
import { GoogleError } from "../http/google-error.ts";
import { record, text } from "./fields.ts";
import { renderNodePools } from "./node-pools.ts";

/** The part of a cluster's description that a caller states; everything else gets the real API's defaults. */
export interface ClusterRequest {
  readonly name: string;
  readonly resourceLabels: Readonly<Record<string, string>>;
  /** All fields as sent. */
  readonly stated: Readonly<Record<string, unknown>>;
}

/**
 * `10.0.0.0/17` and so on: what GKE gives a new cluster for its pods; addresses of default subnetworks begin
 * at 10.128.
 */
const POD_RANGES = 256;
/** All of them. */
export const POD_ADDRESSES = "10.0.0.0/9";

/** The lowest range that no other cluster has; refused, as on Google Cloud, where none is left. */
export function freePodRange(taken: readonly string[]): string {
  for (let index = 0; index < POD_RANGES; index += 1) {
    const range = `10.${index >> 1}.${(index & 1) * 128}.0/17`;
    if (!taken.includes(range)) return range;
  }
  throw invalid("The network has no free range of size /17 for pods: IP space exhausted.");
}

/** What a bare netmask is taken from here; no pod and no node has an address of it. */
const SERVICE_ADDRESSES = "172.16.0.0/12";

/**
 * Of a new cluster's Services: the one that was asked for, a free one of the size that was, or Google's,
 * which all share.
 */
export function chooseServiceRange({ stated }: ClusterRequest, taken: readonly string[]): string {
  const policy = record(stated["ipAllocationPolicy"] ?? {});
  const asked = [policy["servicesIpv4CidrBlock"], policy["servicesIpv4Cidr"], stated["servicesIpv4Cidr"]]
    .map(text)
    .find((cidr) => cidr !== undefined);
  if (asked === undefined) return GOOGLES_SERVICE_RANGE;
  if (!asked.startsWith("/")) return asked;
  const used = taken.flatMap((cidr) => parseRange(cidr) ?? []);
  const all = parseRange(SERVICE_ADDRESSES);
  for (let first = all?.first ?? 0; first < (all?.last ?? 0); ) {
    const cidr = `${[24, 16, 8, 0].map((bits) => Math.floor(first / 2 ** bits) % 256).join(".")}${asked}`;
    const range = parseRange(cidr);
    if (range === undefined) break;
    if (!overlap([range], used)) return cidr;
    first = range.last + 1;
  }
  throw invalid(`The network has no free range of size ${asked} for services: IP space exhausted.`);
}

/** Of a cluster's first pods: the one that was asked for, or the one that was given to it. */
export function podRange({
  request,
  givenPodRange,
}: Pick<ClusterRecord, "request" | "givenPodRange">): string {
  const policy = record(request.stated["ipAllocationPolicy"] ?? {});
  const stated = [
    policy["clusterIpv4CidrBlock"],
    policy["clusterIpv4Cidr"],
    request.stated["clusterIpv4Cidr"],
  ];
  return stated.map(text).find((cidr) => cidr !== undefined) ?? givenPodRange;
}

/** What an Autopilot cluster lets pods do beyond the usual. */
export interface WorkloadPolicy {
  readonly allowNetAdmin: boolean;
}

/** The fields that a running cluster adds. */
export interface KubernetesFacts {
  /** `host:port`, without a scheme. */
  readonly endpoint: string;
  readonly caPem: string;
  readonly kubernetesVersion: string;
}

export interface ClusterRecord {
  readonly ref: ClusterRef;
  /** 64 hexadecimal digits, never used again. */
  readonly id: string;
  readonly createTime: string;
  readonly request: ClusterRequest;
  readonly givenPodRange: string;
  readonly serviceRange: string;
  readonly status: ClusterStatus;
  readonly statusMessage?: string;
  readonly labels: Readonly<Record<string, string>>;
  /** Of an Autopilot cluster alone. */
  readonly workloadPolicy?: WorkloadPolicy;
  readonly kubernetes?: KubernetesFacts;
  /** The operation that is changing the cluster now; a second one is refused. */
  readonly busyWith?: { readonly operation: string; readonly doing: string };
}

export function newClusterId(): string {
  return randomBytes(32).toString("hex");
}

/** GKE answers and logs zonal clusters under `zones/`, regional ones under `locations/`. */
export function locationCollection(location: string): "zones" | "locations" {
  return isZone(location) ? "zones" : "locations";
}

function isZone(location: string): boolean {
  return /-[a-z]$/.test(location);
}

function regionOf(location: string): string {
  return location.replace(/-[a-z]$/, "");
}

function nodeZones(location: string): readonly string[] {
  if (isZone(location)) return [location];
  return ["a", "b", "c"].map((suffix) => `${location}-${suffix}`);
}

const LOCATION = /^[a-z]+-[a-z]+\d+(?:-[a-z])?$/;
const NAME = /^[a-z](?:[-a-z0-9]{0,38}[a-z0-9])?$/;
const LABEL_KEY = /^[a-z][-_a-z0-9]{0,62}$/;
const LABEL_VALUE = /^[-_a-z0-9]{0,63}$/;

/** The description of a cluster follows from these fields. The sandbox would ignore any other. */
const HEEDED = new Set([
  "autopilot",
  "clusterIpv4Cidr",
  "controlPlaneEndpointsConfig",
  "initialNodeCount",
  "ipAllocationPolicy",
  "name",
  "network",
  "networkConfig",
  "nodePools",
  "privateClusterConfig",
  "resourceLabels",
  "subnetwork",
]);

/** Refuses what the real API refuses of a new cluster, and what it would heed and this one does not. */
export function parseClusterRequest(location: string, body: unknown): ClusterRequest {
  if (!LOCATION.test(location)) throw invalid(`Location "${location}" does not exist.`);
  const stated = record(record(body)["cluster"]);
  const name = stated["name"];
  if (typeof name !== "string" || !NAME.test(name)) {
    throw invalid('Invalid value for field "cluster.name": must match ^[a-z]([-a-z0-9]{0,38}[a-z0-9])?$.');
  }
  const ignored = Object.keys(stated).find((field) => !HEEDED.has(field));
  if (ignored !== undefined) {
    // As a field that Google does not know. UNIMPLEMENTED would be a 5xx, which gcloud tries again for half a
    // minute.
    throw invalid(`the sandbox does not heed the field "cluster.${ignored}"`);
  }
  checkNodes(stated);
  return { name, resourceLabels: parseLabels(stated["resourceLabels"] ?? {}), stated };
}

/**
 * https://cloud.google.com/kubernetes-engine/docs/reference/rest/v1/projects.locations.clusters#Cluster.FIELDS.initial_node_count
 */
function checkNodes({ autopilot, initialNodeCount, nodePools }: ClusterRequest["stated"]): void {
  const hasPools = Array.isArray(nodePools) && nodePools.length > 0;
  if (hasPools && initialNodeCount !== undefined) {
    throw invalid("Cluster.initial_node_count and Cluster.node_pools cannot be specified together.");
  }
  if (hasPools || record(autopilot)["enabled"] === true) return;
  if (typeof initialNodeCount !== "number" || initialNodeCount < 1) {
    throw invalid("Cluster.initial_node_count must be greater than zero.");
  }
}

/** Undefined of a Standard cluster. */
export function statedPolicy({ stated }: ClusterRequest): WorkloadPolicy | undefined {
  const { enabled, workloadPolicyConfig } = record(stated["autopilot"]);
  if (enabled !== true) return undefined;
  return { allowNetAdmin: record(workloadPolicyConfig)["allowNetAdmin"] === true };
}

/** https://cloud.google.com/kubernetes-engine/docs/how-to/creating-managing-labels#requirements_for_labels */
export function parseLabels(value: unknown): Readonly<Record<string, string>> {
  const labels: Record<string, string> = {};
  for (const [key, label] of Object.entries(record(value))) {
    if (!LABEL_KEY.test(key)) throw invalid(`Invalid label key "${key}".`);
    if (typeof label !== "string" || !LABEL_VALUE.test(label))
      throw invalid(`Invalid value of label "${key}".`);
    labels[key] = label;
  }
  if (Object.keys(labels).length > 64) throw invalid("A cluster has at most 64 labels.");
  return labels;
}

/** Changes whenever the labels do. */
export function labelFingerprint(labels: Readonly<Record<string, string>>): string {
  const sorted = Object.entries(labels).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return createHash("sha256").update(JSON.stringify(sorted)).digest("hex").slice(0, 8);
}

/** `projects/P/zones/Z/clusters/C` or `projects/P/locations/R/clusters/C`. */
export function clusterPath(ref: ClusterRef): string {
  return `projects/${ref.project}/${locationCollection(ref.location)}/${ref.location}/clusters/${ref.name}`;
}

/**
 * A `Cluster` of the API;
 * https://cloud.google.com/kubernetes-engine/docs/reference/rest/v1/projects.locations.clusters
 */
export function renderCluster(
  cluster: ClusterRecord,
  context: { apiVersion: string; projectNumber: string },
): object {
  const { ref, request, kubernetes } = cluster;
  return {
    ...DEFAULTS,
    ...request.stated,
    ...ipAllocation(cluster),
    ...network(ref, request.stated),
    ...(cluster.workloadPolicy === undefined
      ? {}
      : {
          autopilot: {
            ...record(request.stated["autopilot"]),
            workloadPolicyConfig: cluster.workloadPolicy,
          },
        }),
    name: ref.name,
    id: cluster.id,
    etag: labelFingerprint({ ...cluster.labels, id: cluster.id, status: cluster.status }),
    selfLink: selfLink(ref, context.apiVersion),
    location: ref.location,
    zone: ref.location,
    locations: nodeZones(ref.location),
    nodePools: poolsOf(cluster, context),
    status: cluster.status,
    ...(cluster.statusMessage === undefined ? {} : { statusMessage: cluster.statusMessage }),
    createTime: cluster.createTime,
    resourceLabels: Object.keys(cluster.labels).length === 0 ? undefined : cluster.labels,
    labelFingerprint: labelFingerprint(cluster.labels),
    ...(kubernetes === undefined ? {} : versions(kubernetes)),
    ...endpoints(cluster, context.projectNumber),
  };
}

export function poolsOf(cluster: ClusterRecord, { apiVersion }: { apiVersion: string }): object[] {
  const { ref, request, status, kubernetes } = cluster;
  return renderNodePools(request.stated, {
    selfLink: selfLink(ref, apiVersion),
    status,
    locations: nodeZones(ref.location),
    version: kubernetes?.kubernetesVersion,
  });
}

function selfLink(ref: ClusterRef, apiVersion: string): string {
  return `https://container.googleapis.com/${apiVersion}/${clusterPath(ref)}`;
}

const DEFAULTS = {
  autopilot: {},
  databaseEncryption: { currentState: "CURRENT_STATE_DECRYPTED", state: "DECRYPTED" },
  legacyAbac: {},
  loggingService: "logging.googleapis.com/kubernetes",
  monitoringService: "monitoring.googleapis.com/kubernetes",
  releaseChannel: { channel: "REGULAR" },
  shieldedNodes: { enabled: true },
};

function ipAllocation(cluster: ClusterRecord): object {
  const range = podRange(cluster);
  const { serviceRange } = cluster;
  return {
    clusterIpv4Cidr: range,
    servicesIpv4Cidr: serviceRange,
    ipAllocationPolicy: {
      clusterIpv4Cidr: range,
      clusterIpv4CidrBlock: range,
      stackType: "IPV4",
      useIpAliases: true,
      ...record(cluster.request.stated["ipAllocationPolicy"] ?? {}),
      servicesIpv4Cidr: serviceRange,
      servicesIpv4CidrBlock: serviceRange,
    },
  };
}

/** The short names stand beside the full ones of `networkConfig`, as in the real answers. */
function network(ref: ClusterRef, stated: Readonly<Record<string, unknown>>): object {
  const config = record(stated["networkConfig"] ?? {});
  const { project, name } = networkOf(ref.project, stated);
  const subnet = text(config["subnetwork"]) ?? text(stated["subnetwork"]) ?? "default";
  return {
    network: name,
    subnetwork: lastSegment(subnet),
    networkConfig: {
      ...config,
      network: `projects/${project}/global/networks/${name}`,
      subnetwork: subnet.includes("/")
        ? subnet
        : `projects/${ref.project}/regions/${regionOf(ref.location)}/subnetworks/${subnet}`,
    },
  };
}

/** The VPC that a cluster of these fields is in: of a project of its own where it is shared. */
/** By default a cluster of this version has it; `gcloud … --gateway-api=disabled` says otherwise. */
export function bringsGatewayApi(stated: Readonly<Record<string, unknown>>): boolean {
  const { channel } = record(record(stated["networkConfig"])["gatewayApiConfig"]);
  return channel !== "CHANNEL_DISABLED";
}

export function networkOf(project: string, stated: Readonly<Record<string, unknown>>): VpcRef {
  const named =
    text(record(stated["networkConfig"] ?? {})["network"]) ?? text(stated["network"]) ?? "default";
  const host = /(?:^|\/)projects\/(?<project>[^/]+)\//.exec(named)?.groups?.["project"];
  return { project: host ?? project, name: lastSegment(named) };
}

function versions(kubernetes: KubernetesFacts): object {
  return {
    currentMasterVersion: kubernetes.kubernetesVersion,
    currentNodeVersion: kubernetes.kubernetesVersion,
    initialClusterVersion: kubernetes.kubernetesVersion,
  };
}

function endpoints(cluster: ClusterRecord, projectNumber: string): object {
  const { ref, kubernetes, request } = cluster;
  const address = kubernetes?.endpoint;
  const statedEndpoints = record(request.stated["controlPlaneEndpointsConfig"] ?? {});
  const announced = address === undefined ? {} : { publicEndpoint: address, privateEndpoint: address };
  return {
    ...(address === undefined ? {} : { endpoint: address }),
    masterAuth: {
      clientCertificateConfig: {},
      ...(kubernetes === undefined
        ? {}
        : { clusterCaCertificate: Buffer.from(kubernetes.caPem).toString("base64") }),
    },
    controlPlaneEndpointsConfig: {
      dnsEndpointConfig: {
        endpoint: `gke-${cluster.id.slice(0, 32)}-${projectNumber}.${regionOf(ref.location)}.gke.goog`,
        allowExternalTraffic: false,
        enableK8sTokensViaDns: false,
        ...record(statedEndpoints["dnsEndpointConfig"] ?? {}),
      },
      ipEndpointsConfig: {
        enabled: true,
        enablePublicEndpoint: true,
        ...announced,
        ...record(statedEndpoints["ipEndpointsConfig"] ?? {}),
      },
    },
    privateClusterConfig: { ...announced, ...record(request.stated["privateClusterConfig"] ?? {}) },
  };
}

function lastSegment(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

function invalid(message: string): GoogleError {
  return new GoogleError("INVALID_ARGUMENT", message);
}

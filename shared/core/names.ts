import type { ClusterRef, VpcRef } from "./cluster/cluster.ts";
import { fnv1a } from "./hash.ts";
import { remembering } from "./remembering.ts";

/** Istio's root namespace; istiod, `cacerts` and all remote secrets live there. */
export const ISTIO_NAMESPACE = "istio-system";
/** The Secret that istiod mounts at `/etc/cacerts`; Istio `pilot/pkg/bootstrap/istio_ca.go`. */
export const CACERTS = "cacerts";
/** The Deployment that the istiod chart makes for the default revision. */
export const ISTIOD = "istiod";
/** The account whose token a remote secret carries; Istio `manifests/charts/base`. */
export const READER_SERVICE_ACCOUNT = "istio-reader-service-account";
/** Where an istiod without plugged-in certificates keeps its own CA; Istio `security/pkg/pki/ca`. */
export const SELF_SIGNED_SECRET = "istio-ca-secret";

/** The trust domain of Istio's charts, and of every control plane that Meshjoin installs. */
export const TRUST_DOMAIN = "cluster.local";

export const FIELD_MANAGER = "meshjoin";
export const MANAGED_BY_LABEL = "app.kubernetes.io/managed-by";
export const MESH_LABEL = "meshjoin.dev/mesh";
export const READER_LABEL = "meshjoin.dev/reader";
export const DRAIN_LABEL = "meshjoin.dev/drain";
/** Istio `pkg/kube/multicluster/secretcontroller.go`. */
export const REMOTE_SECRET_LABEL = "istio/multiCluster";
/** Istio `istioctl/pkg/multicluster/remote_secret.go`. */
export const CLUSTER_NAME_ANNOTATION = "networking.istio.io/cluster";
export const NETWORK_LABEL = "topology.istio.io/network";
/** The DestinationRule by which proxies prefer near endpoints and leave dead ones. */
export const FAILOVER_RULE = "meshjoin-failover";
/** The Gateway that lets requests of other networks into a member. */
export const GATEWAY = "meshjoin-eastwest";
/** Its names: one that is to replace another stands beside it for a while. */
export const GATEWAYS: readonly string[] = [GATEWAY, `${GATEWAY}-b`];

/** The namespace of a member's ingress, and the Gateway in it that takes requests from outside the mesh. */
export const INGRESS_NAMESPACE = "istio-ingress";
export const INGRESS = "meshjoin-ingress";

const DNS_LABEL_MAX = 63;
const HASH_DIGITS = 10;

export function annotation<K extends string>(key: K): `meshjoin.dev/${K}` {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a template of a type parameter widens to string
  return annotationOf(key) as `meshjoin.dev/${K}`;
}

const annotationOf = remembering((key) => `meshjoin.dev/${key}`);

/** `projects/P/locations/L/clusters/C`, the form of GKE's own API. */
export function clusterResource(ref: ClusterRef): string {
  return `projects/${ref.project}/locations/${ref.location}/clusters/${ref.name}`;
}

/** The forms that commands accept for a cluster, for messages. */
export const CLUSTER_FORMS =
  "a name that only one cluster has, a cluster ID (cn-…) or projects/P/locations/L/clusters/C";

/** Of the characters of such names alone: an annotation may hold it, and commands are made of its parts. */
const RESOURCE =
  /^projects\/(?<project>[a-z0-9.:-]+)\/(?:locations|zones|regions)\/(?<location>[a-z0-9-]+)\/clusters\/(?<name>[a-z0-9-]+)$/;

/** Reads the `locations/`, `zones/` and `regions/` forms; audit-log entries use them all. */
export function parseClusterResource(resource: string): ClusterRef | undefined {
  const groups = RESOURCE.exec(resource)?.groups;
  if (groups === undefined) return undefined;
  const { project = "", location = "", name = "" } = groups;
  return { project, location, name };
}

/**
 * The mesh-wide name of a cluster: Istio's `clusterName`, the data key of remote secrets. Always a DNS-1123
 * label. It ends in a hash of the full resource name where the plain form is too long, holds a character that
 * no label has, or is ambiguous: `a-x` in a region and `x` in its zone `a` would have one name.
 */
export function clusterId(ref: ClusterRef): string {
  const plain = `cn-${ref.project}-${ref.location}-${ref.name}`;
  const ambiguous = /[:.]/.test(ref.project) || /^[a-z]-/.test(ref.name);
  if (plain.length <= DNS_LABEL_MAX && !ambiguous) return plain;
  return withHash(plain.replaceAll(/[:.]/g, "-"), clusterResource(ref));
}

/**
 * Istio's name of a VPC: host project, dot, network name. No VPC name holds a dot and no project ID an
 * underscore, so two VPCs never share a name.
 */
export function networkName(vpc: VpcRef): string {
  const plain = `${vpc.project.replaceAll(":", "_")}.${vpc.name}`;
  return plain.length <= DNS_LABEL_MAX ? plain : withHash(plain, plain);
}

function withHash(name: string, hashInput: string): string {
  const head = name.slice(0, DNS_LABEL_MAX - HASH_DIGITS - 1).replace(/[-.]+$/, "");
  return `${head}-${fnv1a(hashInput).slice(0, HASH_DIGITS)}`;
}

const REMOTE_SECRET_PREFIX = "istio-remote-secret-";

/** The name that `istioctl create-remote-secret` gives. */
export function remoteSecretName(targetId: string): string {
  return REMOTE_SECRET_PREFIX + targetId;
}

export function targetOfRemoteSecret(name: string): string | undefined {
  return name.startsWith(REMOTE_SECRET_PREFIX) ? name.slice(REMOTE_SECRET_PREFIX.length) : undefined;
}

/** Represents one reader in the target: the reader's tokens are bound to it and die with it. */
export function readerSecretName(readerId: string): string {
  return `meshjoin-reader-${readerId}`;
}

/** A copy of the note that the member of the ID is drained, or that its drain is over. */
export function drainNoteName(id: string): string {
  return `meshjoin-drain-${id}`;
}

/** The ConfigMap with what istiod lays over its own objects for a Gateway. */
export function gatewayOptionsName(gateway: string): string {
  return `${gateway}-options`;
}

/** The Gateway in a reader that names the gateway of the target. A label has to hold its name. */
export function lastGatewayName(targetId: string): string {
  const plain = `meshjoin-last-${targetId}`;
  return plain.length <= DNS_LABEL_MAX ? plain : withHash(plain, targetId);
}

export function rootSecretName(meshId: string): string {
  return `${meshId}-root-ca`;
}

import { parse } from "yaml";
import type { Cluster } from "./core/cluster.ts";
import {
  annotation,
  CACERTS,
  CLUSTER_NAME_ANNOTATION,
  clusterId,
  ISTIO_NAMESPACE,
  ISTIOD,
  NETWORK_LABEL,
  networkName,
  READER_LABEL,
  REMOTE_SECRET_LABEL,
  SELF_SIGNED_SECRET,
} from "./core/names.ts";
import type {
  CacertsState,
  ControlPlaneIdentity,
  ControlPlaneState,
  ForeignCacerts,
  Member,
  MemberState,
  NamespaceState,
  Reachable,
  ReaderSecretState,
  RemoteSecretState,
} from "./core/observation.ts";
import type { MeshSpec } from "./core/spec.ts";
import { isRetryable, MeshjoinError, RootError } from "./errors.ts";
import { ownerOf } from "./istio/ownership.ts";
import {
  availability,
  type DeploymentObject,
  imageTag,
  isReady,
  type PodObject,
  whyNotReady,
} from "./istio/workload.ts";
import { verifyCacerts } from "./pki/verify.ts";
import type { KubernetesObject, MemberApi, ObjectQuery, ObjectRef, Ports } from "./ports.ts";

/** What Cloud Service Mesh's managed control plane leaves in a cluster. */
const MANAGED_MESH_CONFIG: ObjectRef = {
  apiVersion: "v1",
  kind: "ConfigMap",
  namespace: ISTIO_NAMESPACE,
  name: "istio-asm-managed",
};
const NAMESPACE: ObjectRef = { apiVersion: "v1", kind: "Namespace", name: ISTIO_NAMESPACE };
const SECRETS: ObjectQuery = {
  apiVersion: "v1",
  kind: "Secret",
  namespace: ISTIO_NAMESPACE,
  metadataOnly: true,
};
/** Both are labelled so by the istiod chart, whatever the revision. */
const DEPLOYMENTS: ObjectQuery = {
  apiVersion: "apps/v1",
  kind: "Deployment",
  namespace: ISTIO_NAMESPACE,
  labelSelector: "app=istiod",
};
const PODS: ObjectQuery = {
  apiVersion: "v1",
  kind: "Pod",
  namespace: ISTIO_NAMESPACE,
  labelSelector: "app=istiod",
};

/** A cluster without Istio's namespace; there is nothing in it to be read. */
const EMPTY: Reachable = {
  reachable: true,
  namespace: undefined,
  managedMesh: false,
  cacerts: undefined,
  selfSignedCa: false,
  controlPlane: undefined,
  pods: [],
  remoteSecrets: [],
  readerSecrets: [],
};

/**
 * Reads one member: three lists of metadata and status for a peer, a namespace more for a subject. No key byte is
 * read, unless a `cacerts` that is not ours has to be judged. An API server that does not answer is a value; a root
 * that cannot be read is thrown, because then nothing can be said of any member.
 */
export async function observeMember(
  ports: Ports,
  spec: MeshSpec,
  cluster: Cluster,
  depth: "subject" | "peer",
  signal: AbortSignal,
): Promise<Member> {
  const id = clusterId(cluster.ref);
  const network = networkName(cluster.network);
  const describe = (state: MemberState): Member => ({ cluster, clusterId: id, network, state });
  try {
    return describe(await read(ports, spec, cluster, depth, signal));
  } catch (error) {
    if (error instanceof RootError || !(error instanceof MeshjoinError)) throw error;
    return describe({
      reachable: false,
      code: error.code,
      message: error.message,
      retryable: isRetryable(error),
    });
  }
}

async function read(
  ports: Ports,
  spec: MeshSpec,
  cluster: Cluster,
  depth: "subject" | "peer",
  signal: AbortSignal,
): Promise<Reachable> {
  const api = ports.fleet.member(cluster);
  const namespace = depth === "subject" ? await api.reader.get(NAMESPACE, signal) : undefined;
  if (depth === "subject" && namespace === undefined) return EMPTY;
  const [secrets, deployments, pods] = await Promise.all([
    api.reader.list(SECRETS, signal),
    api.reader.list(DEPLOYMENTS, signal),
    api.reader.list(PODS, signal),
  ]);
  const { meshId } = spec;
  const deployment = chooseControlPlane(deployments, meshId);
  const managed = deployment === undefined && namespace !== undefined;
  const [cacerts, identity, managedMesh] = await Promise.all([
    cacertsState(ports, api, secrets, meshId, signal),
    foreignIdentity(api, deployment, meshId, signal),
    managed ? api.reader.get(MANAGED_MESH_CONFIG, signal).then((found) => found !== undefined) : false,
  ]);
  return {
    reachable: true,
    namespace: namespace === undefined ? undefined : namespaceState(namespace, meshId),
    managedMesh,
    cacerts,
    selfSignedCa: secrets.some(({ metadata }) => metadata.name === SELF_SIGNED_SECRET),
    controlPlane:
      deployment === undefined ? undefined : controlPlaneState(deployment, pods, identity, meshId),
    pods: pods.filter((pod) => isReady(pod)).map(({ metadata }) => metadata.name),
    remoteSecrets: secrets.flatMap((secret) => remoteSecretState(secret, meshId) ?? []),
    readerSecrets: secrets.flatMap((secret) => readerSecretState(secret, meshId) ?? []),
  };
}

function namespaceState({ metadata }: KubernetesObject, meshId: string): NamespaceState {
  return {
    owner: ownerOf(metadata, meshId),
    network: metadata.labels?.[NETWORK_LABEL],
    terminating: metadata.deletionTimestamp !== undefined,
  };
}

async function cacertsState(
  ports: Ports,
  api: MemberApi,
  secrets: readonly KubernetesObject[],
  meshId: string,
  signal: AbortSignal,
): Promise<CacertsState | undefined> {
  const metadata = secrets.find((secret) => secret.metadata.name === CACERTS)?.metadata;
  if (metadata === undefined) return undefined;
  const owner = ownerOf(metadata, meshId);
  if (owner === "foreign") return await foreignCacerts(ports, api, signal);
  return {
    owner,
    resourceVersion: metadata.resourceVersion ?? "",
    rootVersions: metadata.annotations?.[annotation("root-versions")] ?? "",
    fingerprint: metadata.annotations?.[annotation("fingerprint")] ?? "",
    notAfter: dateAnnotation(metadata, "not-after"),
    issuedAt: dateAnnotation(metadata, "issued-at"),
    loadedAt: dateAnnotation(metadata, "loaded-at"),
  };
}

/** Reads the whole Secret, key included, because istiod would refuse one whose key does not fit. */
async function foreignCacerts(
  ports: Ports,
  api: MemberApi,
  signal: AbortSignal,
): Promise<ForeignCacerts | undefined> {
  const ref: ObjectRef = { apiVersion: "v1", kind: "Secret", namespace: ISTIO_NAMESPACE, name: CACERTS };
  const [secret, { trustBundle }] = await Promise.all([
    api.reader.get(ref, signal),
    ports.authority.trustBundle(signal),
  ]);
  if (secret === undefined) return undefined;
  const data = secretData(secret);
  if ("istio-generated" in data) return { owner: "foreign", trust: "generated" };
  const file = (name: string) => Buffer.from(data[name] ?? "", "base64").toString("utf8");
  const faults = verifyCacerts(
    {
      certificate: file("ca-cert.pem"),
      privateKey: file("ca-key.pem"),
      chain: file("cert-chain.pem"),
      trustBundle,
    },
    ports.clock.now(),
    file("root-cert.pem"),
  );
  return { owner: "foreign", trust: faults.length === 0 ? "sameRoots" : "otherRoots" };
}

/** Our own first, then the default revision, then whatever is there. */
function chooseControlPlane(
  deployments: readonly KubernetesObject[],
  meshId: string,
): DeploymentObject | undefined {
  return (
    deployments.find(({ metadata }) => ownerOf(metadata, meshId) !== "foreign") ??
    deployments.find(({ metadata }) => metadata.name === ISTIOD) ??
    deployments[0]
  );
}

function controlPlaneState(
  deployment: DeploymentObject,
  pods: readonly PodObject[],
  identity: ControlPlaneIdentity | undefined,
  meshId: string,
): ControlPlaneState {
  const ready = availability(deployment);
  return {
    owner: ownerOf(deployment.metadata, meshId),
    name: deployment.metadata.name,
    manifestHash: deployment.metadata.annotations?.[annotation("manifest-hash")],
    istioVersion: imageTag(deployment),
    ready,
    notReadyBecause: ready ? undefined : whyNotReady(pods),
    identity,
  };
}

async function foreignIdentity(
  api: MemberApi,
  deployment: DeploymentObject | undefined,
  meshId: string,
  signal: AbortSignal,
): Promise<ControlPlaneIdentity | undefined> {
  if (deployment === undefined || ownerOf(deployment.metadata, meshId) !== "foreign") return undefined;
  const revision = deployment.metadata.name.slice(ISTIOD.length);
  const ref = { apiVersion: "v1", kind: "ConfigMap", namespace: ISTIO_NAMESPACE, name: `istio${revision}` };
  const [config, namespace] = await Promise.all([
    api.reader.get(ref, signal),
    api.reader.get(NAMESPACE, signal),
  ]);
  const mesh = meshConfig(config);
  return {
    meshId: mesh.defaultConfig?.meshId,
    clusterId: deployment.spec?.template?.spec?.containers
      ?.flatMap(({ env }) => env ?? [])
      .find(({ name }) => name === "CLUSTER_ID")?.value,
    network: namespace?.metadata.labels?.[NETWORK_LABEL],
    trustDomain: mesh.trustDomain ?? "cluster.local",
  };
}

interface MeshConfig {
  readonly trustDomain?: string;
  readonly defaultConfig?: { readonly meshId?: string };
}

function meshConfig(config: KubernetesObject | undefined): MeshConfig {
  const text = config === undefined ? undefined : secretData(config)["mesh"];
  const parsed: unknown = text === undefined ? undefined : parse(text);
  return typeof parsed === "object" && parsed !== null ? parsed : {};
}

function remoteSecretState({ metadata }: KubernetesObject, meshId: string): RemoteSecretState | undefined {
  if (metadata.labels?.[REMOTE_SECRET_LABEL] !== "true") return undefined;
  return {
    name: metadata.name,
    owner: ownerOf(metadata, meshId),
    targetId: metadata.annotations?.[CLUSTER_NAME_ANNOTATION] ?? "",
    resourceVersion: metadata.resourceVersion ?? "",
    targetGkeId: metadata.annotations?.[annotation("cluster-id")],
    endpointDigest: metadata.annotations?.[annotation("endpoint-digest")],
    readerUid: metadata.annotations?.[annotation("reader-uid")],
    tokenIssuedAt: dateAnnotation(metadata, "token-issued-at"),
    tokenExpiresAt: dateAnnotation(metadata, "token-expires-at"),
  };
}

function readerSecretState({ metadata }: KubernetesObject, meshId: string): ReaderSecretState | undefined {
  const readerId = metadata.labels?.[READER_LABEL];
  if (readerId === undefined && !metadata.name.startsWith("meshjoin-reader-")) return undefined;
  return {
    name: metadata.name,
    owner: ownerOf(metadata, meshId),
    readerId: readerId ?? "",
    uid: metadata.uid ?? "",
    readerGkeId: metadata.annotations?.[annotation("cluster-id")],
  };
}

function dateAnnotation(metadata: KubernetesObject["metadata"], key: string): Date | undefined {
  const text = metadata.annotations?.[annotation(key)];
  const date = new Date(text ?? "");
  return Number.isNaN(date.getTime()) ? undefined : date;
}

function secretData(object: KubernetesObject): Readonly<Record<string, string>> {
  const data = object["data"];
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- core/v1: `data` maps strings to strings
  return typeof data === "object" && data !== null ? (data as Record<string, string>) : {};
}

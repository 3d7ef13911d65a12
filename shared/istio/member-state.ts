import type {
  ControlPlaneIdentity,
  ControlPlaneState,
  NamespaceState,
  OwnCacerts,
  ReaderSecretState,
  RemoteSecretState,
} from "../core/member/observation.ts";
import {
  annotation,
  CLUSTER_NAME_ANNOTATION,
  ISTIOD,
  NETWORK_LABEL,
  READER_LABEL,
  REMOTE_SECRET_LABEL,
  targetOfRemoteSecret,
} from "../core/names.ts";
import { dateOf } from "../core/time.ts";
import { isRecord } from "../is-record.ts";
import type { KubernetesObject, ObjectMeta } from "../ports/kubernetes-object.ts";
import { editorOf } from "./edited.ts";
import { ownerOf } from "./ownership.ts";
import { readYaml } from "./read-yaml.ts";
import type { Share } from "./same-text.ts";
import { CACERTS_WRITTEN, REMOTE_SECRET_ANNOTATIONS } from "./secrets.ts";
import {
  type DeploymentObject,
  imageTag,
  isRolledOut,
  isScaledToZero,
  istiodAway,
  lockRenewedAt,
  type PodObject,
  serves,
  unpulledImage,
  whyNotReady,
  workloadTtl,
} from "./workload.ts";

export function namespaceState({ metadata }: KubernetesObject, meshId: string): NamespaceState {
  return {
    owner: ownerOf(metadata, meshId),
    network: metadata.labels?.[NETWORK_LABEL],
    terminating: metadata.deletionTimestamp !== undefined,
    acceptedCacerts: metadata.annotations?.[annotation("accepted-cacerts")],
    leftAt: dateAnnotation(metadata, "left-at"),
    nextNetwork: metadata.annotations?.[annotation("next-network")],
    changedTo: metadata.annotations?.[annotation("network")],
    formerNetwork: metadata.annotations?.[annotation("former-network")],
  };
}

/** The state of Meshjoin's `cacerts`, by its annotations; reads no data. */
export function ownCacerts(metadata: ObjectMeta, owner: OwnCacerts["owner"]): OwnCacerts {
  return {
    owner,
    uid: metadata.uid ?? "",
    resourceVersion: metadata.resourceVersion ?? "",
    rootVersions: metadata.annotations?.[annotation("root-versions")] ?? "",
    fingerprint: metadata.annotations?.[annotation("fingerprint")] ?? "",
    rootFingerprints: (metadata.annotations?.[annotation("root-fingerprints")] ?? "")
      .split(",")
      .filter(Boolean),
    rootNotAfter: dateAnnotation(metadata, "root-not-after"),
    notAfter: dateAnnotation(metadata, "not-after"),
    issuedAt: dateAnnotation(metadata, "issued-at"),
    loadedAt: dateAnnotation(metadata, "loaded-at"),
    versionsLoadedAt: dateAnnotation(metadata, "versions-loaded-at"),
    joinedAt: dateAnnotation(metadata, "joined-at"),
    editedBy: editorOf(metadata, { ...CACERTS_WRITTEN, at: dateAnnotation(metadata, "issued-at") }),
  };
}

/** Meshjoin's own, else the default revision, else any. */
export function chooseControlPlane(
  deployments: readonly KubernetesObject[],
  meshId: string,
): DeploymentObject | undefined {
  return (
    deployments.find(({ metadata }) => ownerOf(metadata, meshId) !== "foreign") ??
    deployments.find(({ metadata }) => metadata.name === ISTIOD) ??
    deployments[0]
  );
}

interface ControlPlaneFacts {
  /** Of a foreign one. */
  readonly identity: ControlPlaneIdentity | undefined;
  /** `ISTIOD_LOCK`, where no pod is ready. */
  readonly lock: KubernetesObject | undefined;
}

export function controlPlaneState(
  deployment: DeploymentObject,
  pods: readonly PodObject[],
  { identity, lock }: ControlPlaneFacts,
  meshId: string,
): ControlPlaneState {
  const rolledOut = isRolledOut(deployment);
  const unpulled = rolledOut ? undefined : unpulledImage(pods);
  const away = istiodAway(deployment, pods, lockRenewedAt(lock));
  return {
    owner: ownerOf(deployment.metadata, meshId),
    name: deployment.metadata.name,
    network: deployment.metadata.annotations?.[annotation("network")],
    formerNetwork: deployment.metadata.annotations?.[annotation("former-network")],
    manifestHash: deployment.metadata.annotations?.[annotation("manifest-hash")],
    istioVersion: imageTag(deployment),
    workloadTtl: workloadTtl(deployment),
    serves: serves(deployment),
    rolledOut,
    isScaledToZero: isScaledToZero(deployment),
    ...(away === undefined ? {} : { away }),
    notReadyBecause: rolledOut ? undefined : whyNotReady(pods),
    ...(unpulled === undefined ? {} : { unpulledImage: unpulled }),
    identity,
  };
}

/** The identity of a foreign control plane, by its configuration. */
export function controlPlaneIdentity(
  deployment: DeploymentObject,
  config: KubernetesObject | undefined,
  namespace: KubernetesObject | undefined,
): ControlPlaneIdentity {
  return {
    ...meshConfig(config),
    clusterId: deployment.spec?.template?.spec?.containers
      ?.flatMap(({ env }) => env ?? [])
      .find(({ name }) => name === "CLUSTER_ID")?.value,
    network: namespace?.metadata.labels?.[NETWORK_LABEL],
  };
}

/** istiod's default where its mesh config names none. */
const DEFAULT_TRUST_DOMAIN = "cluster.local";

/** Both undefined where the mesh config cannot be read. */
function meshConfig(
  config: KubernetesObject | undefined,
): Pick<ControlPlaneIdentity, "meshId" | "trustDomain"> {
  const text = config === undefined ? undefined : secretData(config)["mesh"];
  // An empty text is null in YAML.
  const mesh = text === undefined ? {} : (readYaml(text) ?? (text.trim() === "" ? {} : undefined));
  if (!isRecord(mesh)) return { meshId: undefined, trustDomain: undefined };
  const defaults = mesh["defaultConfig"];
  return {
    meshId: isRecord(defaults) ? stringOf(defaults["meshId"]) : undefined,
    trustDomain: "trustDomain" in mesh ? stringOf(mesh["trustDomain"]) : DEFAULT_TRUST_DOMAIN,
  };
}

function stringOf(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}

/** Undefined for a Secret with neither istiod's label nor a remote secret's name. */
export function remoteSecretState(
  { metadata }: KubernetesObject,
  meshId: string,
  share: Share,
): RemoteSecretState | undefined {
  const isRead = metadata.labels?.[REMOTE_SECRET_LABEL] === "true";
  const targetByName = targetOfRemoteSecret(metadata.name);
  if (!isRead && targetByName === undefined) return undefined;
  const targetId = share(metadata.annotations?.[CLUSTER_NAME_ANNOTATION] ?? targetByName ?? "");
  return {
    name: share(metadata.name),
    owner: ownerOf(metadata, meshId),
    isRead,
    targetId,
    uid: metadata.uid ?? "",
    resourceVersion: metadata.resourceVersion ?? "",
    targetResource: share(metadata.annotations?.[annotation("cluster-resource")]),
    targetGkeId: share(metadata.annotations?.[annotation("cluster-id")]),
    targetNetwork: share(metadata.annotations?.[annotation("network")]),
    endpointDigest: share(metadata.annotations?.[annotation("endpoint-digest")]),
    readerUid: metadata.annotations?.[annotation("reader-uid")],
    createdAt: dateOf(metadata.creationTimestamp),
    tokenIssuedAt: dateAnnotation(metadata, "token-issued-at"),
    tokenExpiresAt: dateAnnotation(metadata, "token-expires-at"),
    editedBy: editorOf(metadata, {
      data: [targetId],
      annotations: REMOTE_SECRET_ANNOTATIONS,
      at: dateAnnotation(metadata, "token-issued-at"),
    }),
    lostSince: dateAnnotation(metadata, "lost-since"),
    silentSince: dateAnnotation(metadata, "silent-since"),
    lastGateway: share(metadata.annotations?.[annotation("last-gateway")]),
  };
}

export function readerSecretState(
  { metadata }: KubernetesObject,
  meshId: string,
  share: Share,
): ReaderSecretState | undefined {
  const readerId = metadata.labels?.[READER_LABEL];
  if (readerId === undefined && !metadata.name.startsWith("meshjoin-reader-")) return undefined;
  return {
    name: share(metadata.name),
    owner: ownerOf(metadata, meshId),
    readerId: share(readerId ?? ""),
    uid: metadata.uid ?? "",
    resourceVersion: metadata.resourceVersion ?? "",
    readerResource: share(metadata.annotations?.[annotation("cluster-resource")]),
    readerGkeId: share(metadata.annotations?.[annotation("cluster-id")]),
    createdAt: dateOf(metadata.creationTimestamp),
    lostSince: dateAnnotation(metadata, "lost-since"),
  };
}

/** Undefined also for a text that is no time. */
export function dateAnnotation(metadata: KubernetesObject["metadata"], key: string): Date | undefined {
  return dateOf(metadata.annotations?.[annotation(key)]);
}

export function secretData(object: KubernetesObject): Readonly<Record<string, string>> {
  const data = object["data"];
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- core/v1: `data` maps strings to strings
  return typeof data === "object" && data !== null ? (data as Record<string, string>) : {};
}

import type { Cluster, Endpoint } from "../core/cluster/cluster.ts";
import {
  annotation,
  CACERTS,
  CLUSTER_NAME_ANNOTATION,
  clusterResource,
  ISTIO_NAMESPACE,
  READER_LABEL,
  REMOTE_SECRET_LABEL,
  readerSecretName,
  remoteSecretName,
} from "../core/names.ts";
import { formatRootVersions, type RootVersions } from "../core/roots/state.ts";
import type { KubernetesObject } from "../ports/kubernetes-object.ts";
import type { ObjectRef, TokenGrant } from "../ports/member-api.ts";
import { renderKubeconfig } from "./kubeconfig.ts";
import { ownershipLabels } from "./ownership.ts";

/** A verified set of certificates, ready to be written. */
export interface CacertsMaterial {
  /** PEM, the intermediate alone. */
  readonly certificate: string;
  readonly privateKey: string;
  /** PEM certificates of the issuing root. */
  readonly issuer: string;
  /** PEM certificates of all trusted roots. */
  readonly trustBundle: string;
  readonly rootVersions: RootVersions;
  /** SHA-256, lower-case hex. */
  readonly fingerprint: string;
  readonly rootFingerprints: readonly string[];
  readonly serial: string;
  readonly notAfter: Date;
  /** When the issuing root ends. */
  readonly rootNotAfter: Date;
}

/** The fields that `cacertsSecret` sets. If one is missing, or has another owner, the Secret was edited. */
export const CACERTS_WRITTEN = {
  data: ["ca-cert.pem", "ca-key.pem", "cert-chain.pem", "root-cert.pem"],
  annotations: [
    "root-versions",
    "fingerprint",
    "root-fingerprints",
    "serial",
    "issued-at",
    "not-after",
    "root-not-after",
  ],
} as const;
/** What `remoteSecret` of every release sets beside the data key and Istio's own annotation. */
export const REMOTE_SECRET_ANNOTATIONS = [
  "cluster-id",
  "cluster-resource",
  "endpoint-digest",
  "reader-uid",
  "token-issued-at",
  "token-expires-at",
] as const;

/**
 * The Secret `cacerts` as istiod mounts it: all four files of Istio `tools/certs`; an incomplete set stops
 * istiod (`pilot/pkg/bootstrap/istio_ca.go`).
 */
export function cacertsSecret(meshId: string, material: CacertsMaterial, now: Date): KubernetesObject {
  return {
    apiVersion: "v1",
    kind: "Secret",
    metadata: {
      name: CACERTS,
      namespace: ISTIO_NAMESPACE,
      labels: ownershipLabels(meshId),
      annotations: {
        [annotation("root-versions")]: formatRootVersions(material.rootVersions),
        [annotation("fingerprint")]: material.fingerprint,
        [annotation("root-fingerprints")]: material.rootFingerprints.join(","),
        [annotation("serial")]: material.serial,
        [annotation("issued-at")]: now.toISOString(),
        [annotation("not-after")]: material.notAfter.toISOString(),
        [annotation("root-not-after")]: material.rootNotAfter.toISOString(),
      },
    },
    type: "Opaque",
    data: {
      "ca-cert.pem": base64(material.certificate),
      "ca-key.pem": base64(material.privateKey),
      "cert-chain.pem": base64(material.certificate + material.issuer),
      "root-cert.pem": base64(material.trustBundle),
    },
  };
}

/** Represents one reader in the target: the reader's tokens are bound to it, and die with it. */
export function readerSecret(meshId: string, reader: Cluster, readerId: string): KubernetesObject {
  return {
    apiVersion: "v1",
    kind: "Secret",
    metadata: {
      name: readerSecretName(readerId),
      namespace: ISTIO_NAMESPACE,
      labels: { ...ownershipLabels(meshId), [READER_LABEL]: readerId },
      annotations: {
        [annotation("cluster-id")]: reader.id,
        [annotation("cluster-resource")]: clusterResource(reader.ref),
      },
    },
    type: "Opaque",
  };
}

export interface RemoteSecretParts {
  readonly meshId: string;
  readonly target: Cluster;
  readonly targetId: string;
  readonly endpoint: Endpoint;
  readonly endpointDigest: string;
  /** The target's. */
  readonly network: string;
  /** UID of the reader Secret that the token is bound to. */
  readonly readerUid: string;
  readonly grant: TokenGrant;
  readonly now: Date;
}

/**
 * The Secret of `istioctl create-remote-secret` (name, namespace, label, annotation, data key, kubeconfig),
 * with Meshjoin's labels and annotations on top.
 */
export function remoteSecret(parts: RemoteSecretParts): KubernetesObject {
  const { meshId, target, targetId, endpoint, grant } = parts;
  return {
    apiVersion: "v1",
    kind: "Secret",
    metadata: {
      name: remoteSecretName(targetId),
      namespace: ISTIO_NAMESPACE,
      labels: { ...ownershipLabels(meshId), [REMOTE_SECRET_LABEL]: "true" },
      annotations: {
        [CLUSTER_NAME_ANNOTATION]: targetId,
        [annotation("cluster-id")]: target.id,
        [annotation("cluster-resource")]: clusterResource(target.ref),
        [annotation("endpoint-digest")]: parts.endpointDigest,
        [annotation("network")]: parts.network,
        [annotation("reader-uid")]: parts.readerUid,
        [annotation("token-issued-at")]: parts.now.toISOString(),
        [annotation("token-expires-at")]: grant.expiresAt.toISOString(),
      },
    },
    type: "Opaque",
    data: { [targetId]: base64(renderKubeconfig(targetId, endpoint, grant.token)) },
  };
}

/** In Istio's namespace, like every Secret of Meshjoin. */
export function secretRef(name: string): ObjectRef {
  return { apiVersion: "v1", kind: "Secret", namespace: ISTIO_NAMESPACE, name };
}

/** `undefined` where the Secret has no such file. */
export function secretFile(secret: KubernetesObject, name: string): string | undefined {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- core/v1 Secret
  const data = secret["data"] as Readonly<Record<string, string>> | undefined;
  const encoded = data?.[name];
  return encoded === undefined ? undefined : Buffer.from(encoded, "base64").toString("utf8");
}

function base64(text: string): string {
  return Buffer.from(text, "utf8").toString("base64");
}

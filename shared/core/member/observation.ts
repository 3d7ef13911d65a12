import type { ErrorCode } from "../answers/error-codes.ts";
import type { Fault } from "../answers/error-finding.ts";
import type { Cluster } from "../cluster/cluster.ts";
import { clusterId, networkName } from "../names.ts";

/** A cluster by the names that Istio knows it by. */
export interface NamedCluster {
  readonly cluster: Cluster;
  readonly clusterId: string;
  /** Of its VPC. */
  readonly network: string;
}

export function named(cluster: Cluster): NamedCluster {
  return { cluster, clusterId: clusterId(cluster.ref), network: networkName(cluster.network) };
}

/**
 * What was seen on one member, reduced to what decisions need. It holds names, versions, fingerprints and dates;
 * no key and no token ever gets in here.
 */
export interface Member extends NamedCluster {
  readonly state: MemberState;
}

export type MemberState = Unreachable | Reachable;

/** Nothing is known of the member; the error says why. */
export interface Unreachable {
  readonly reachable: false;
  readonly code: ErrorCode;
  readonly message: string;
  /** The error's own. */
  readonly cure?: string | undefined;
  readonly retryable: boolean;
  /** What no part of Meshjoin has expected, for the log alone: it may quote what it could not read. */
  readonly unexpected?: unknown;
}

export interface Reachable {
  readonly reachable: true;
  readonly namespace: NamespaceState | undefined;
  readonly cacerts: CacertsState | undefined;
  /** Cloud Service Mesh has left its ConfigMap here. */
  readonly managedMesh: boolean;
  /** Istio's own CA of an istiod that runs without plugged-in certificates. */
  readonly selfSignedCa: boolean;
  readonly controlPlane: ControlPlaneState | undefined;
  /** Names of Ready istiod pods. */
  readonly pods: readonly string[];
  /** Custom resource definitions of the cluster, where a manifest is due for it; undefined where nobody has looked. */
  readonly definitions?: readonly DefinitionState[];
  /** Every Secret that istiod reads as one, or that has the name of one. */
  readonly remoteSecrets: readonly RemoteSecretState[];
  readonly readerSecrets: readonly ReaderSecretState[];
}

/** Who an object belongs to, by its labels alone. */
export type Owner = "ours" | "otherMesh" | "foreign";

export interface NamespaceState {
  readonly owner: Owner;
  /** Label `topology.istio.io/network`. */
  readonly network: string | undefined;
  readonly terminating: boolean;
  /** Annotation `accepted-cacerts`, verbatim (core/acceptance.ts). */
  readonly acceptedCacerts: string | undefined;
}

export type CacertsState = OwnCacerts | ForeignCacerts;

export interface OwnCacerts {
  readonly owner: "ours" | "otherMesh";
  readonly uid: string;
  readonly resourceVersion: string;
  /** Annotation `root-versions`, verbatim: compared with the alias map as text. */
  readonly rootVersions: string;
  readonly fingerprint: string;
  /** SHA-256 of the roots in its bundle, lower-case hex. */
  readonly rootFingerprints: readonly string[];
  /** When the root that issued it ends; undefined where nobody has noted it. */
  readonly rootNotAfter: Date | undefined;
  readonly notAfter: Date | undefined;
  readonly issuedAt: Date | undefined;
  readonly loadedAt: Date | undefined;
  /** When istiod was first seen serving one of these root versions; another one of the same versions keeps it. */
  readonly versionsLoadedAt: Date | undefined;
  /** When the first one was issued, to a cluster that had no istiod; undefined where there may have been certificates before. */
  readonly joinedAt: Date | undefined;
  /** The field manager that has changed it since Meshjoin wrote it. */
  readonly editedBy: string | undefined;
}

export type ForeignCacerts = { readonly owner: "foreign" } & (
  | {
      /** istiod loads it, and it and the mesh trust each other. */
      readonly trust: "sameRoots";
      /** What is to be noted of that, so that it is not read again; verbatim. */
      readonly acceptance: string;
    }
  | {
      /** Written by an istiod without plugged-in certificates (key `istio-generated`). */
      readonly trust: "generated";
    }
  | {
      /** `otherRoots`: istiod loads it, but it and the mesh do not trust each other. `unloadable`: it does not start. */
      readonly trust: "otherRoots" | "unloadable";
      /** What is wrong with it, in words; never empty. */
      readonly faults: readonly string[];
    }
  | {
      /** Nobody can tell: what the mesh trusts could not be read. */
      readonly trust: "unknown";
      readonly because: Fault;
    }
);

export interface ControlPlaneState {
  readonly owner: Owner;
  /** Deployment name: `istiod`, or `istiod-<revision>` of a foreign one. */
  readonly name: string;
  /** Annotation `manifest-hash`; written last, so its presence says that everything was applied once. */
  readonly manifestHash: string | undefined;
  /** The tag of the image. */
  readonly istioVersion: string;
  /** The longest life that it gives a workload's certificate, in seconds. */
  readonly workloadTtl: number;
  /** Some pod answers, be it of an earlier template. */
  readonly serves: boolean;
  /** Only pods of the newest template are left, and one answers. */
  readonly rolledOut: boolean;
  /** Why it is not rolled out, in the words of its pods' conditions. */
  readonly notReadyBecause: string | undefined;
  /** The image that keeps it from that, where it is one. */
  readonly unpulledImage?: UnpulledImage;
  /** What a foreign istiod says of itself; undefined for our own. */
  readonly identity: ControlPlaneIdentity | undefined;
}

export interface UnpulledImage {
  readonly image: string;
  readonly pod: string;
  readonly node: string;
  /** The node's own words. */
  readonly said: string;
}

export interface ControlPlaneIdentity {
  readonly meshId: string | undefined;
  readonly clusterId: string | undefined;
  readonly network: string | undefined;
  /** Undefined, like the mesh ID, where its mesh config cannot be read. */
  readonly trustDomain: string | undefined;
}

export interface RemoteSecretState {
  readonly name: string;
  readonly owner: Owner;
  /** Whether it has the label without which istiod passes it over. */
  readonly isRead: boolean;
  /** Annotation `networking.istio.io/cluster`, which equals the data key. */
  readonly targetId: string;
  readonly uid: string;
  readonly resourceVersion: string;
  /** The full resource name of the target. */
  readonly targetResource: string | undefined;
  /** GKE's `Cluster.id` of the target that it was made for. */
  readonly targetGkeId: string | undefined;
  /** Digest of server and CA as written. */
  readonly endpointDigest: string | undefined;
  /** UID of the Secret in the target that the token is bound to. */
  readonly readerUid: string | undefined;
  /** By the API server's clock; it stays when Meshjoin replaces what the Secret holds. */
  readonly createdAt: Date | undefined;
  readonly tokenIssuedAt: Date | undefined;
  readonly tokenExpiresAt: Date | undefined;
  /** The field manager that has changed it since Meshjoin wrote it. */
  readonly editedBy: string | undefined;
}

export interface ReaderSecretState {
  readonly name: string;
  readonly owner: Owner;
  readonly readerId: string;
  readonly uid: string;
  readonly resourceVersion: string;
  /** The full resource name of the reader. */
  readonly readerResource: string | undefined;
  /** GKE's `Cluster.id` of the reader that it stands for. */
  readonly readerGkeId: string | undefined;
}

export interface DefinitionState {
  readonly name: string;
  /** Of Istio, as far as it tells; empty where it does not. */
  readonly version: string;
}

export type ReachableMember = Member & { readonly state: Reachable };

export function isReachable(member: Member): member is ReachableMember {
  return member.state.reachable;
}

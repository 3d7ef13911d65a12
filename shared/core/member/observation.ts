import type { ErrorCode } from "../answers/error-codes.ts";
import type { Fault } from "../answers/error-finding.ts";
import type { Cluster } from "../cluster/cluster.ts";
import { clusterId } from "../names.ts";
import type { GatewayState } from "../network/gateway.ts";
import type { SeenIngress } from "../network/ingress.ts";
import { networkOf } from "../network/network.ts";
import type { DrainNote } from "./drain.ts";
import type { IstiodAway } from "./istiod-away.ts";
import type { MemberNetworks } from "./networks.ts";
import type { MemberRecord } from "./record.ts";

/** A cluster by the names that Istio knows it by. */
export interface NamedCluster {
  readonly cluster: Cluster;
  readonly clusterId: string;
  /** Istio's name of the network that its pods are in: as its label or its VPC wants it. */
  readonly network: string;
}

export function named(cluster: Cluster): NamedCluster {
  return { cluster, clusterId: clusterId(cluster.ref), network: networkOf(cluster) };
}

/**
 * One member as the look found it, reduced to the facts that decisions need: names, versions, fingerprints
 * and dates. Never a key or a token.
 */
export interface Member extends NamedCluster, MemberNetworks {
  readonly network: string;
  readonly state: MemberState;
}

export type MemberState = Unreachable | Reachable;

/** Meshjoin knows nothing of the member; the error says why. */
export interface Unreachable {
  readonly reachable: false;
  readonly code: ErrorCode;
  readonly message: string;
  /** The error's own. */
  readonly cure?: string | undefined;
  readonly retryable: boolean;
  /** By the record of another member: it has not answered since then, at the latest. */
  readonly silentSince?: Date;
  /** An unexpected error, for the log alone: it may quote a text that it could not read. */
  readonly unexpected?: unknown;
}

export interface Reachable {
  readonly reachable: true;
  readonly namespace: NamespaceState | undefined;
  readonly cacerts: CacertsState | undefined;
  /** The cluster holds a ConfigMap of Cloud Service Mesh. */
  readonly managedMesh: boolean;
  /** The cluster holds the CA that an istiod made without plugged-in certificates. */
  readonly selfSignedCa: boolean;
  readonly controlPlane: ControlPlaneState | undefined;
  /** Names of Ready istiod pods. */
  readonly pods: readonly string[];
  /** East-west gateways; undefined where the look did not ask for them, a fault where it had no answer. */
  readonly gateways?: readonly GatewayState[] | { readonly unread: Fault } | undefined;
  /** Undefined where the look did not ask. */
  readonly ingress?: SeenIngress | undefined;
  /** Of a subject; of a peer as an earlier look of the run saw it. */
  readonly record?: MemberRecord | undefined;
  /** Custom resource definitions, where a manifest is due; undefined where the run has not looked. */
  readonly definitions?: readonly DefinitionState[];
  /** Pods of another network than the cluster's, after a change; undefined where the look did not ask. */
  readonly podsElsewhere?: readonly WorkloadPods[] | { readonly unread: Fault } | undefined;
  /** Every Secret that istiod reads as a remote secret, or that has the name of one. */
  readonly remoteSecrets: readonly RemoteSecretState[];
  readonly readerSecrets: readonly ReaderSecretState[];
  /**
   * DestinationRules over all Services; undefined where the look did not ask for them, a fault where it had
   * no answer.
   */
  readonly trafficRules?: readonly TrafficRule[] | { readonly unread: Fault } | undefined;
  /** Notes of drains, of this member and of others. */
  readonly drainCopies?: readonly DrainCopy[];
  /** Who wants a probe in the cluster, if anybody does or did. */
  readonly probeMarks?: readonly ProbeMark[];
}

/** One copy of the note that a member is drained, or that its drain is over. */
export interface DrainCopy {
  readonly name: string;
  /** The cluster that it is about. */
  readonly of: string;
  /** GKE's `Cluster.id` of the cluster that it was made for: a successor of the name begins without it. */
  readonly gkeId: string | undefined;
  /** The full resource name of that cluster. */
  readonly resource: string | undefined;
  readonly owner: Owner;
  readonly uid: string;
  readonly resourceVersion: string;
  /** Undefined: nobody can tell what it says, so it neither drains nor undrains. */
  readonly note: DrainNote | undefined;
  /** When a full run first saw the member answer again that Meshjoin has drained. */
  readonly answersSince?: Date | undefined;
}

/** Somebody's wish for a probe in a cluster. */
export interface ProbeMark {
  readonly name: string;
  readonly uid: string;
  /** Undefined: without end. */
  readonly until: Date | undefined;
  /** Of the probe as it was written last; absent until all of it was, and from a check. */
  readonly settings?: string;
}

/** A DestinationRule of Istio's namespace that holds for Services of every namespace. */
export interface TrafficRule {
  readonly name: string;
  readonly owner: Owner;
  readonly host: string;
  /** Annotation `failover-settings`: what Meshjoin wrote last. */
  readonly settings: string | undefined;
}

/** The running pods of one workload, of those that a question is about. */
export interface WorkloadPods {
  readonly namespace: string;
  /** Of the workload that a person restarts: `deployment/web`; of a pod that nothing owns: `pod/web`. */
  readonly workload: string;
  readonly pods: number;
}

/** The owner of an object, by its labels alone. */
export type Owner = "ours" | "otherMesh" | "foreign";

export interface NamespaceState {
  readonly owner: Owner;
  /** Label `topology.istio.io/network`. */
  readonly network: string | undefined;
  readonly terminating: boolean;
  /** Annotation `accepted-cacerts`, verbatim (core/acceptance.ts). */
  readonly acceptedCacerts: string | undefined;
  /** Annotation `next-network`: a person has confirmed that the cluster changes to this network. */
  readonly nextNetwork?: string | undefined;
  /** Annotation `network`: the cluster has changed to this one, */
  readonly changedTo?: string | undefined;
  /** and from this one (`former-network`), in which some of its pods may still be. */
  readonly formerNetwork?: string | undefined;
  /** When the cluster left the mesh for good, or was taken out by a person; gone when it joins again. */
  readonly leftAt?: Date | undefined;
}

export type CacertsState = OwnCacerts | ForeignCacerts;

export interface OwnCacerts {
  readonly owner: "ours" | "otherMesh";
  readonly uid: string;
  readonly resourceVersion: string;
  /** Annotation `root-versions`, verbatim: Meshjoin compares it with the alias map as text. */
  readonly rootVersions: string;
  readonly fingerprint: string;
  /** SHA-256 of the roots in its bundle, lower-case hex. */
  readonly rootFingerprints: readonly string[];
  /** When the root that issued it ends; undefined without the annotation. */
  readonly rootNotAfter: Date | undefined;
  readonly notAfter: Date | undefined;
  readonly issuedAt: Date | undefined;
  readonly loadedAt: Date | undefined;
  /** When istiod first served an intermediate of these root versions; renewals for them keep the time. */
  readonly versionsLoadedAt: Date | undefined;
  /** When the first one was issued to a cluster without istiod; undefined where certificates may be older. */
  readonly joinedAt: Date | undefined;
  /** The field manager that changed it after Meshjoin wrote it. */
  readonly editedBy: string | undefined;
}

export type ForeignCacerts = { readonly owner: "foreign" } & (
  | {
      /** istiod loads it, and it and the mesh trust each other. */
      readonly trust: "sameRoots";
      /** The note that saves the next run from reading it again; verbatim. */
      readonly acceptance: string;
    }
  | {
      /** Written by an istiod without plugged-in certificates (key `istio-generated`). */
      readonly trust: "generated";
    }
  | {
      /** `otherRoots`: istiod loads it, and it does not trust the mesh. `unloadable`: istiod stops. */
      readonly trust: "otherRoots" | "unloadable";
      /** Its faults, in words; never empty. */
      readonly faults: readonly string[];
    }
  | {
      /** The trust bundle of the mesh could not be read. */
      readonly trust: "unknown";
      readonly because: Fault;
    }
);

export interface ControlPlaneState {
  readonly owner: Owner;
  /** Deployment name: `istiod`, or `istiod-<revision>` of a foreign one. */
  readonly name: string;
  /** Annotation `network`: the network that istiod was installed with; undefined without it. */
  readonly network?: string | undefined;
  /** Annotation `former-network`, which tells a look at a peer that its namespace has more to say. */
  readonly formerNetwork?: string | undefined;
  /** Annotation `manifest-hash`. Meshjoin writes it last, so it proves that everything was applied once. */
  readonly manifestHash: string | undefined;
  /** The tag of the image. */
  readonly istioVersion: string;
  /** The longest life of a workload's certificate that it grants, in seconds. */
  readonly workloadTtl: number;
  /** Some pod answers, perhaps one of an earlier template. */
  readonly serves: boolean;
  /** All pods are of the newest template, and one answers. */
  readonly rolledOut: boolean;
  /** Its Deployment asks for no pod, so waiting does not help. */
  readonly isScaledToZero?: boolean;
  /** No pod of istiod is ready; absent while one is. */
  readonly away?: IstiodAway;
  /** Why it is not rolled out, in the words of its pods' conditions. */
  readonly notReadyBecause: string | undefined;
  /** The image that holds the roll-out up, if one does. */
  readonly unpulledImage?: UnpulledImage;
  /** The configuration of a foreign istiod; undefined for Meshjoin's own. */
  readonly identity: ControlPlaneIdentity | undefined;
}

export interface UnpulledImage {
  readonly image: string;
  readonly pod: string;
  readonly node: string;
  /** The node's message. */
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
  /** Whether it has the label without which istiod ignores it. */
  readonly isRead: boolean;
  /** Annotation `networking.istio.io/cluster`, which equals the data key. */
  readonly targetId: string;
  readonly uid: string;
  readonly resourceVersion: string;
  /** The full resource name of the target. */
  readonly targetResource: string | undefined;
  /** GKE's `Cluster.id` of the target that it was made for. */
  readonly targetGkeId: string | undefined;
  /** The target's network when the Secret was written; undefined in one of an earlier release. */
  readonly targetNetwork?: string | undefined;
  /** Digest of server and CA as written. */
  readonly endpointDigest: string | undefined;
  /** UID of the Secret in the target that the token is bound to. */
  readonly readerUid: string | undefined;
  /** By the API server's clock; it stays when Meshjoin replaces the data. */
  readonly createdAt: Date | undefined;
  readonly tokenIssuedAt: Date | undefined;
  readonly tokenExpiresAt: Date | undefined;
  /** The field manager that changed it after Meshjoin wrote it. */
  readonly editedBy: string | undefined;
  /** When a full run first saw that the target is no member. */
  readonly lostSince?: Date | undefined;
  /** When a full run first saw that the target is silent. */
  readonly silentSince?: Date | undefined;
  /** Annotation `last-gateway`, verbatim: what the Gateway beside it names (core/network/last-gateway.ts). */
  readonly lastGateway?: string | undefined;
}

export interface ReaderSecretState {
  readonly name: string;
  readonly owner: Owner;
  readonly readerId: string;
  readonly uid: string;
  readonly resourceVersion: string;
  /** The full resource name of the reader. */
  readonly readerResource: string | undefined;
  /** GKE's `Cluster.id` of the reader that it represents. */
  readonly readerGkeId: string | undefined;
  readonly createdAt: Date | undefined;
  /** When a full run first saw that the reader is no member. */
  readonly lostSince?: Date | undefined;
}

export interface DefinitionState {
  readonly name: string;
  /** Of Istio, by its labels; empty where they do not tell. */
  readonly version: string;
}

export type ReachableMember = Member & { readonly state: Reachable };

export function isReachable(member: Member): member is ReachableMember {
  return member.state.reachable;
}

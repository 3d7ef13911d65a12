import type { RawAnswer } from "../core/probe/answer.ts";
import type { ProbeEndpoint } from "../core/probe/endpoints.ts";
import type { KubernetesObject } from "./kubernetes-object.ts";

export interface ObjectRef {
  readonly apiVersion: string;
  readonly kind: string;
  readonly namespace?: string;
  readonly name: string;
}

export interface ObjectQuery {
  readonly apiVersion: string;
  readonly kind: string;
  readonly namespace?: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
  /** Answers PartialObjectMetadata: no data of any Secret crosses the wire. */
  readonly metadataOnly?: boolean;
}

export interface ObjectReader {
  get(ref: ObjectRef, signal?: AbortSignal): Promise<KubernetesObject | undefined>;
  list(query: ObjectQuery, signal?: AbortSignal): Promise<readonly KubernetesObject[]>;
  /**
   * Watches until `done` holds for all objects of the query, and answers them: one request, no polling. It
   * starts a broken watch again; only a refusal is an error. If the signal aborts first, it answers the
   * objects that it saw last.
   */
  until(
    query: ObjectQuery,
    done: (objects: readonly KubernetesObject[]) => boolean,
    signal: AbortSignal,
  ): Promise<readonly KubernetesObject[]>;
}

/** Every answer is metadata only: the data that was just written does not cross the wire again. */
export interface ObjectWriter {
  /** POST. ConflictError `AlreadyExists` if the name is taken. */
  create(object: KubernetesObject, signal?: AbortSignal): Promise<KubernetesObject>;
  /** PUT under `metadata.resourceVersion`. ConflictError `Conflict` if it differs, `NotFound` if gone. */
  replace(object: KubernetesObject, signal?: AbortSignal): Promise<KubernetesObject>;
  /**
   * Server-side apply as field manager `meshjoin`. A resourceVersion makes it conditional (`Conflict`); with
   * a UID as well it does not bring back a deleted object (`Conflict`). Without `force`, a field of another
   * manager is ConflictError `FieldConflict`, whose `fields.managers` names the managers, and nothing is
   * written.
   */
  apply(object: KubernetesObject, options?: ApplyOptions): Promise<KubernetesObject>;
  /**
   * Deletes only the object with this UID; a successor of the same name stays. With a resourceVersion, one
   * that has changed stays, too.
   */
  delete(ref: ObjectRef, only: string | SeenVersion, signal?: AbortSignal): Promise<void>;
}

/** An object exactly as it was seen. */
export interface SeenVersion {
  readonly uid: string;
  readonly resourceVersion: string;
}

export interface ApplyOptions {
  readonly force?: boolean;
  /** Answers the object as it would be, and writes nothing. */
  readonly dryRun?: boolean;
  readonly signal?: AbortSignal;
}

export interface TokenGrant {
  readonly token: string;
  /** As granted; the server may grant less than was asked for. */
  readonly expiresAt: Date;
}

export interface ReaderTokens {
  /**
   * A token of `istio-reader-service-account`, which becomes invalid when the Secret that it is bound to is
   * deleted. Fails with RefusedError `ReaderAccountMissing` if the cluster has no such account.
   */
  request(
    boundTo: { readonly name: string; readonly uid: string },
    ttlSeconds: number,
    signal?: AbortSignal,
  ): Promise<TokenGrant>;
  /** TokenReview: whether this API server accepts the token, and as the reader account. */
  isAccepted(token: string, signal?: AbortSignal): Promise<boolean>;
}

/** A row of istiod's `/debug/clusterz`; `pilot/pkg/xds/debug.go`, `pkg/cluster`. */
export interface RemoteClusterStatus {
  readonly clusterId: string;
  /** The Secret that istiod read it from, `namespace/name`; empty for istiod's own cluster. */
  readonly secretName: string;
  readonly status: "synced" | "syncing" | "timeout" | "closed";
}

/** A gateway as an istiod knows it: one for each address. */
export interface NetworkGateway {
  readonly network: string;
  /** Of the cluster that it was found in. */
  readonly clusterId: string;
  /** An IP address: istiod resolves a host name itself. */
  readonly address: string;
}

/** A proxy as the istiod that it is connected to knows it; `pilot/pkg/xds/debug.go`, `SyncStatus`. */
export interface ConnectedProxy {
  readonly namespace: string;
  readonly pod: string;
  /** Of its own Istio; empty where it does not tell. */
  readonly version: string;
  /** When istiod sent it the roots that it has not acknowledged yet; undefined where none are open. */
  readonly rootsOpenSince: Date | undefined;
}

/** One port-forwarded istiod pod. Close it; closing twice is harmless. */
export interface IstiodSession {
  remoteClusters(signal?: AbortSignal): Promise<readonly RemoteClusterStatus[]>;
  /** The gateways of all networks that it knows of. It may keep one of a cluster that it reads no more. */
  networkGateways(signal?: AbortSignal): Promise<readonly NetworkGateway[]>;
  /** Those that are connected to this pod: each is to one of its member's. About 2 kB each. */
  connectedProxies(signal?: AbortSignal): Promise<readonly ConnectedProxy[]>;
  /** SHA-256 fingerprints (lower-case hex) of the chain that `:15012` serves, leaf first. */
  servedChain(signal?: AbortSignal): Promise<readonly string[]>;
  close(): void;
}

export interface IstiodProbe {
  open(pod: string): IstiodSession;
}

/** The probe of one member, through a port-forward to its pod. Close it; closing twice is harmless. */
export interface ProbeSession {
  /**
   * One question to each target, side by side on one connection, by the target's cluster ID. A target whose
   * answer did not come in time has none.
   */
  ask(targets: readonly string[], signal?: AbortSignal): Promise<ReadonlyMap<string, RawAnswer>>;
  /** What the probe's Envoy has for the target; undefined where it knows no such cluster. */
  endpoints(target: string, signal?: AbortSignal): Promise<readonly ProbeEndpoint[] | undefined>;
  close(): void;
}

export interface SidecarProbe {
  open(pod: string): ProbeSession;
}

/** A right that the API server grants or not, as in `kubectl auth can-i`. */
export interface Permission {
  readonly verb: string;
  /** Empty for the core API. */
  readonly group: string;
  /** In the plural; with a subresource as `pods/portforward`. */
  readonly resource: string;
  /** Undefined for a right in the whole cluster. */
  readonly namespace?: string;
}

/** Questions to an API server before Meshjoin relies on it. */
export interface AccessReview {
  /** SelfSubjectAccessReview, which every account may make. */
  isAllowed(permission: Permission, signal?: AbortSignal): Promise<boolean>;
  /**
   * The name by which the server knows the caller, for the subject of a role binding. SelfSubjectReview,
   * which every account may make.
   */
  userName(signal?: AbortSignal): Promise<string>;
  /** The server's clock, to the second; undefined if it does not tell. */
  serverTime(signal?: AbortSignal): Promise<Date | undefined>;
}

/** One member's API server, over one kept-alive connection pool. */
export interface MemberApi {
  readonly reader: ObjectReader;
  readonly writer: ObjectWriter;
  readonly tokens: ReaderTokens;
  readonly istiod: IstiodProbe;
  readonly probe: SidecarProbe;
  readonly access: AccessReview;
}

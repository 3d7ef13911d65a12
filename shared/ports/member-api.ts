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
   * Watches until `done` holds of all objects of the query, and answers them; one request, no polling. A watch that breaks
   * is begun again: only a refusal is an error. When the signal aborts first, it answers what it saw last.
   */
  until(
    query: ObjectQuery,
    done: (objects: readonly KubernetesObject[]) => boolean,
    signal: AbortSignal,
  ): Promise<readonly KubernetesObject[]>;
}

/** Every answer is metadata only: nothing that was just written has to cross the wire again. */
export interface ObjectWriter {
  /** POST. ConflictError `AlreadyExists` if the name is taken. */
  create(object: KubernetesObject, signal?: AbortSignal): Promise<KubernetesObject>;
  /** PUT under `metadata.resourceVersion`. ConflictError `Conflict` if the object moved on, `NotFound` if it is gone. */
  replace(object: KubernetesObject, signal?: AbortSignal): Promise<KubernetesObject>;
  /**
   * Server-side apply as field manager `meshjoin`. With a resourceVersion it is conditional on it (`Conflict`),
   * and with a UID too it does not bring back an object that is gone (`Conflict`). Without `force`, a field that another manager owns is ConflictError `FieldConflict`, whose `fields.managers`
   * names them, and nothing is written.
   */
  apply(object: KubernetesObject, options?: ApplyOptions): Promise<KubernetesObject>;
  /** Only the very object with this UID; one that is gone or another of its name is left as it is. */
  delete(ref: ObjectRef, uid: string, signal?: AbortSignal): Promise<void>;
}

export interface ApplyOptions {
  readonly force?: boolean;
  /** Answers what would be, and writes nothing. */
  readonly dryRun?: boolean;
  readonly signal?: AbortSignal;
}

export interface TokenGrant {
  readonly token: string;
  /** As granted; the server may shorten what was asked for. */
  readonly expiresAt: Date;
}

export interface ReaderTokens {
  /**
   * A token of `istio-reader-service-account` that dies with the Secret it is bound to. Fails with RefusedError
   * `ReaderAccountMissing` if the cluster has no such account.
   */
  request(
    boundTo: { readonly name: string; readonly uid: string },
    ttlSeconds: number,
    signal?: AbortSignal,
  ): Promise<TokenGrant>;
  /** TokenReview: does this API server accept the token, and as the reader account? */
  isAccepted(token: string, signal?: AbortSignal): Promise<boolean>;
}

/** A row of istiod's `/debug/clusterz`; `pilot/pkg/xds/debug.go`, `pkg/cluster`. */
export interface RemoteClusterStatus {
  readonly clusterId: string;
  /** The Secret it was read from, `namespace/name`; empty for istiod's own cluster. */
  readonly secretName: string;
  readonly status: "synced" | "syncing" | "timeout" | "closed";
}

/** One port-forwarded istiod pod. Close it; closing twice is harmless. */
export interface IstiodSession {
  remoteClusters(signal?: AbortSignal): Promise<readonly RemoteClusterStatus[]>;
  /** SHA-256 fingerprints (lower-case hex) of the chain that `:15012` serves, leaf first. */
  servedChain(signal?: AbortSignal): Promise<readonly string[]>;
  close(): void;
}

export interface IstiodProbe {
  open(pod: string): IstiodSession;
}

/** What may be allowed or not, as in `kubectl auth can-i`. */
export interface Permission {
  readonly verb: string;
  /** Empty for the core API. */
  readonly group: string;
  /** In the plural; with a subresource as `pods/portforward`. */
  readonly resource: string;
  /** Undefined for what is of the whole cluster. */
  readonly namespace?: string;
}

/** What a caller asks an API server before it relies on it. */
export interface AccessReview {
  /** SelfSubjectAccessReview, which everybody may make. */
  isAllowed(permission: Permission, signal?: AbortSignal): Promise<boolean>;
  /** The server's clock, to the second; undefined if it does not tell. */
  serverTime(signal?: AbortSignal): Promise<Date | undefined>;
}

/** One member's API server, over one kept-alive connection pool. */
export interface MemberApi {
  readonly reader: ObjectReader;
  readonly writer: ObjectWriter;
  readonly tokens: ReaderTokens;
  readonly istiod: IstiodProbe;
  readonly access: AccessReview;
}

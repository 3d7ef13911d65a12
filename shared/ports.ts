import type { KeyObject } from "node:crypto";
import type { Account, Check } from "./core/check.ts";
import type { Cluster, ClusterRef, VpcRef } from "./core/cluster.ts";
import type { Absence } from "./core/departure.ts";
import type { EffectiveFirewall } from "./core/firewall.ts";
import type { RootState, RootVersions } from "./core/roots/state.ts";
import type { MeshSpec } from "./core/spec.ts";

/**
 * What Meshjoin needs from outside, in its own words. Absence is a value (`undefined`); everything else that goes
 * wrong is a `MeshjoinError`, and whether it is retryable is the adapter's verdict.
 */

export interface Clock {
  now(): Date;
}

/** The GKE API. */
export interface ClusterDirectory {
  get(ref: ClusterRef, signal?: AbortSignal): Promise<Cluster | undefined>;
  list(project: string, signal?: AbortSignal): Promise<ClusterListing>;
}

export interface ClusterListing {
  readonly clusters: readonly Cluster[];
  /** Locations that did not answer: absence from this list proves nothing about them. */
  readonly missingLocations: readonly string[];
}

/** Where clusters come from: one that lists them, gets one by its name, and says what its list does not cover. */
export interface ClusterSource {
  /** As the configuration has it; no two sources have one. */
  readonly id: string;
  /** For people. */
  readonly name: string;
  /** What its list takes: the API that answers it, and a role on the project that the API is asked about. */
  readonly needs: SourceNeeds;
  /** What follows from it that there is none of a name. */
  readonly gone: Pick<Absence, "why" | "runsOn">;
  /** Fails with a MeshjoinError where nothing of the source is known. */
  list(signal?: AbortSignal): Promise<SourceListing>;
  /** Undefined proves that there is none of the name; anything short of that fails. */
  get(ref: ClusterRef, signal?: AbortSignal): Promise<Cluster | undefined>;
}

export interface SourceNeeds {
  readonly api: string;
  readonly project: string;
  readonly role: string;
}

export interface SourceListing {
  readonly clusters: readonly Cluster[];
  /** What has not answered, for people; empty where all has. */
  readonly silent: readonly string[];
  /** Whether the list says nothing of a cluster of this name, be it in it or not. */
  leavesOut(ref: ClusterRef): boolean;
}

/** All sources that there may be. */
export interface ClusterSources {
  /** Those that the configuration names. */
  configured(spec: MeshSpec): readonly ClusterSource[];
  /** Where a cluster of this name would come from, whether or not the configuration names that source. */
  of(ref: ClusterRef): ClusterSource;
}

/** The firewall of a VPC. For a person who looks why requests do not pass: no trigger reads it. */
export interface Firewalls {
  /**
   * What is in force in a network, with the regional policies of these regions. Fails with RefusedError `PermissionDenied`,
   * `NotFound`, `ServiceDisabled`.
   */
  effective(network: VpcRef, regions: readonly string[], signal?: AbortSignal): Promise<EffectiveFirewall>;
}

/** One label of a cluster; `undefined` takes it off. */
export interface LabelChange {
  readonly key: string;
  readonly value: string | undefined;
  /** The one value that may be replaced or taken off; any, where it is left out. */
  readonly only?: string;
}

/** The resource labels of GKE clusters. For a person who joins or takes out a cluster: no trigger changes a label. */
export interface ClusterLabels {
  /**
   * Leaves all other labels as they are, also those that somebody else changes at the same time; resolves when GKE has
   * done it, and answers whether there was anything to do. Fails with ConflictError `ClusterBusy` if GKE does not stop
   * doing something else with the cluster, and with RefusedError `LabelTaken` if the label has by then another value than
   * the one that may be changed.
   */
  set(ref: ClusterRef, change: LabelChange, signal?: AbortSignal): Promise<boolean>;
}

/** Whose credentials these are. */
export interface CallerIdentity {
  /** The email of the account; undefined if the credentials do not tell. Fails where there are none. */
  email(): Promise<string | undefined>;
}

/** A constraint that is enforced, or a list of values that are allowed or denied; empty lists allow none. */
export type Restriction =
  | { readonly kind: "enforced" }
  | { readonly kind: "values"; readonly allowed: readonly string[]; readonly denied: readonly string[] };

/**
 * What Google Cloud tells of a project before anything is deployed in it. Each fails with RefusedError or UnavailableError, whose
 * `fields` name the `project`, the `permission` and the `api` that the call needs, and the `consumer`, in which the API is to be enabled.
 */
export interface ProjectFacts {
  /** Whether the project has a billing account that is open. */
  isBilled(project: string, signal?: AbortSignal): Promise<boolean>;
  /** Those of the APIs (`pubsub.googleapis.com`) that are enabled; at most 30 at a time. */
  enabledApis(project: string, apis: readonly string[], signal?: AbortSignal): Promise<ReadonlySet<string>>;
  /**
   * What an organization policy leaves of a constraint (`gcp.resourceLocations`) for the project; undefined where it leaves all. Rules
   * with a condition count, too: whether they hold is not asked.
   */
  restriction(project: string, constraint: string, signal?: AbortSignal): Promise<Restriction | undefined>;
  /** Those of the IAM permissions that the caller has on the project. */
  grantedPermissions(
    project: string,
    permissions: readonly string[],
    signal?: AbortSignal,
  ): Promise<ReadonlySet<string>>;
}

/** How much of something a project may have, and has. */
export interface Quota {
  readonly limit: number;
  readonly usage: number;
}

/** What limits what a project may have in a region, before anything is deployed there. Fails as `ProjectFacts` does. */
export interface Quotas {
  /** Compute Engine's, by metric: the region's (`CPUS`) and the whole project's (`CPUS_ALL_REGIONS`). */
  compute(project: string, region: string, signal?: AbortSignal): Promise<ReadonlyMap<string, Quota>>;
  /** Cloud Run's by ID (`CpuAllocPerProjectRegion`), in the unit of the quota; `Infinity` where there is no limit. */
  run(project: string, region: string, quotaId: string, signal?: AbortSignal): Promise<number>;
}

/** The root secret's names and aliases; never a payload. */
export interface RootRegistry {
  /** Fails with RootError `RootSecretMissing` or `RootAccessDenied`. */
  state(signal?: AbortSignal): Promise<RootState>;
}

/** The root secret's payloads. Only a `RootAuthority` may hold this port. */
export interface RootStore extends RootRegistry {
  /**
   * PEM certificate and PEM key as one buffer, its CRC32C checked; the caller wipes it. Fails with RootError
   * `RootVersionMissing`, `RootVersionDisabled`, `RootAccessDenied`, `RootChecksumMismatch`.
   */
  payload(version: number, signal?: AbortSignal): Promise<Buffer>;
}

/** What a CA, or the sender of a request, signs with. The key itself may be anywhere, so signing takes time and may fail. */
export interface SigningKey {
  readonly publicKey: KeyObject;
  readonly digest: "sha256" | "sha384" | "sha512";
  /** The signature as X.509 holds it: PKCS #1 v1.5 for RSA, DER for ECDSA. */
  sign(toBeSigned: Buffer): Promise<Buffer>;
}

/**
 * Where the key of a root is, as its payload says beside the certificate. `pem`: in the payload itself, unencrypted; the bytes are a
 * view into the payload, and go with it when that is wiped.
 */
export interface KeyReference {
  readonly kind: "pem";
  readonly text: Buffer;
}

/** The keys of roots. Only what signs, or judges a root that a person brings, may hold this port. */
export interface RootKeys {
  /** For the length of one call, whose signal ends signing, too. */
  open(reference: KeyReference, signal?: AbortSignal): Promise<SigningKey>;
}

/** What a change makes of the root secret. */
export interface RootChange {
  readonly versions: RootVersions;
  /** All of them. */
  readonly annotations: Readonly<Record<string, string>>;
}

export interface RootVersionInfo {
  readonly version: number;
  readonly enabled: boolean;
}

/** What the rotator, and a person, may do to the root secret: payloads go in, and none comes out. */
export interface RootKeeper {
  /** Answers whether it was not there. */
  create(signal?: AbortSignal): Promise<boolean>;
  /** Aliases and annotations in one change of the very state that was seen; ConflictError `Stale` if it is another by now. */
  update(seen: RootState, change: RootChange, signal?: AbortSignal): Promise<void>;
  /** PEM certificate and PEM key; answers the number of the new version, which has no alias. The caller wipes the payload. */
  add(payload: Buffer, signal?: AbortSignal): Promise<number>;
  /** One that is disabled or destroyed already stays as it is. */
  disable(version: number, signal?: AbortSignal): Promise<void>;
  /** By number. */
  list(signal?: AbortSignal): Promise<readonly RootVersionInfo[]>;
  /** Those of the IAM permissions that this account has on the secret; none where there is no secret. */
  granted(permissions: readonly string[], signal?: AbortSignal): Promise<ReadonlySet<string>>;
}

/** PEM certificates of the claimed roots in version order, and the alias map they stand for. */
export interface TrustBundle {
  readonly trustBundle: string;
  readonly rootVersions: RootVersions;
}

export interface IssuedCertificate extends TrustBundle {
  /** PEM, the intermediate alone. */
  readonly certificate: string;
}

/** The claimed roots that an authority can sign with now, and until when that is so. */
export interface Fitness {
  readonly rootVersions: RootVersions;
  readonly signsUntil: Date;
}

/** Signs for members. It alone decides subject, extensions and lifetime; a CSR contributes its public key. */
export interface RootAuthority {
  trustBundle(signal?: AbortSignal): Promise<TrustBundle>;
  /** Whether `issue` would find a root that it can sign with; opens its key, and signs nothing. Fails as `issue` does, and with RootError `RootTwice`. */
  check(signal?: AbortSignal): Promise<Fitness>;
  issue(csrPem: string, member: ClusterRef, signal?: AbortSignal): Promise<IssuedCertificate>;
}

export interface ObjectMeta {
  readonly name: string;
  readonly namespace?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly uid?: string;
  readonly resourceVersion?: string;
  readonly creationTimestamp?: string;
  readonly deletionTimestamp?: string;
  readonly generation?: number;
  readonly ownerReferences?: readonly { readonly kind: string; readonly name: string }[];
  /** Who owns which field; https://kubernetes.io/docs/reference/using-api/server-side-apply/#field-management */
  readonly managedFields?: readonly ManagedFields[];
}

export interface ManagedFields {
  readonly manager?: string;
  readonly operation?: string;
  /** Of the manager's last change, to the second. */
  readonly time?: string;
  /** A tree of `f:<field>`. */
  readonly fieldsV1?: Readonly<Record<string, unknown>>;
}

/** Any Kubernetes object as its JSON. */
export interface KubernetesObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: ObjectMeta;
  readonly [field: string]: unknown;
}

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

export interface Fleet {
  /** The same `MemberApi` for the same cluster within one run; fails only on use, not here. */
  member(cluster: Cluster): MemberApi;
  close(): Promise<void>;
}

/** A function under another account, which says what it finds of itself. */
export interface Examiner {
  readonly account: Exclude<Account, "caller" | "reconciler">;
  /** Of one member, or of all. Never fails: an account that cannot be asked is a check, too, and never a good one. */
  examine(member: string | undefined, signal: AbortSignal): Promise<readonly Check[]>;
}

export interface Ports {
  readonly clock: Clock;
  readonly sources: ClusterSources;
  readonly roots: RootRegistry;
  readonly authority: RootAuthority;
  readonly fleet: Fleet;
  /** Where this process is the reconciler; elsewhere none. */
  readonly examiners: readonly Examiner[];
}

/** What the rotator and a person have beside them; whoever reconciles does not. */
export interface RotatorPorts extends Ports {
  readonly keeper: RootKeeper;
}

import type { Cluster } from "../../../shared/core/cluster/cluster.ts";
import { endpointDigest } from "../../../shared/core/cluster/endpoint-digest.ts";
import type {
  ControlPlaneState,
  Member,
  OwnCacerts,
  Reachable,
  ReaderSecretState,
  RemoteSecretState,
} from "../../../shared/core/member/observation.ts";
import {
  clusterId,
  clusterResource,
  networkName,
  readerSecretName,
  remoteSecretName,
} from "../../../shared/core/names.ts";
import { NO_NOTES } from "../../../shared/core/roots/notes.ts";
import type { PairContext } from "../../../shared/plan/context.ts";
import { indexDrains } from "../../../shared/plan/drains.ts";
import type { PeerStanding } from "../../../shared/plan/member.ts";
import { indexNetworks } from "../../../shared/plan/networks.ts";
import { aCluster } from "./cluster.ts";
import { aSpec } from "./spec.ts";

export const NOW = new Date("2026-03-01T12:00:00Z");
export const ROOTS = { signing: 1 } as const;
export const MANIFEST = { manifestHash: "0123456789abcdef", istioVersion: "1.31.4" } as const;

/** Of a mesh that nothing is asked of, and whose members have all finished their own halves. */
export function aPairContext(
  members: readonly Member[],
  { standings = {}, ...seed }: Partial<Omit<PairContext, "standings">> & PairSeed = {},
): PairContext {
  return {
    spec: aSpec(),
    roots: { versions: ROOTS, notes: NO_NOTES },
    listing: { collisions: new Set(), findings: [] },
    members,
    drains: indexDrains(members, { spec: seed.spec ?? aSpec(), confirm: [], now: seed.now ?? NOW }),
    networks: indexNetworks(members, seed.spec ?? aSpec()),
    isWholeView: true,
    isKnown: () => true,
    settingsOf: ({ network, exposure }) => `${network} ${exposure}`,
    confirm: [],
    view: "now",
    now: NOW,
    ...seed,
    standings: new Map(members.map(({ clusterId: id }) => [id, standings[id] ?? "complete"])),
  };
}

interface PairSeed {
  /** Of those that are not complete, by cluster ID. */
  readonly standings?: Readonly<Record<string, PeerStanding>>;
}

/** A member that needs nothing: everything is as `ROOTS` and `MANIFEST` want it, and no peers are known. */
export function aMember(cluster: Cluster = aCluster(), seen: Partial<Reachable> = {}) {
  const network = networkName(cluster.network);
  return {
    cluster,
    clusterId: clusterId(cluster.ref),
    network,
    state: {
      reachable: true,
      namespace: { owner: "ours", network, terminating: false, acceptedCacerts: undefined },
      cacerts: ownCacerts(),
      managedMesh: false,
      selfSignedCa: false,
      controlPlane: ownControlPlane(),
      pods: ["istiod-0123456789"],
      remoteSecrets: [],
      readerSecrets: [],
      ...seen,
    },
  } as const satisfies Member;
}

export function anUnreachableMember(cluster: Cluster = aCluster(), retryable = true): Member {
  return {
    cluster,
    clusterId: clusterId(cluster.ref),
    network: networkName(cluster.network),
    state: {
      reachable: false,
      code: retryable ? "ApiServerUnreachable" : "Forbidden",
      message: "connection refused",
      retryable,
    },
  };
}

/** Nothing of Istio is there. */
export const EMPTY = {
  namespace: undefined,
  cacerts: undefined,
  controlPlane: undefined,
  pods: [],
} as const satisfies Partial<Reachable>;

export function ownCacerts(seed: Partial<OwnCacerts> = {}): OwnCacerts {
  return {
    owner: "ours",
    uid: "uid of cacerts",
    resourceVersion: "7",
    rootVersions: '{"signing":1}',
    fingerprint: "ab".repeat(32),
    rootFingerprints: ["cd".repeat(32)],
    rootNotAfter: new Date("2036-03-01T12:00:00Z"),
    notAfter: new Date("2026-05-30T12:00:00Z"),
    issuedAt: NOW,
    loadedAt: NOW,
    versionsLoadedAt: NOW,
    joinedAt: undefined,
    editedBy: undefined,
    ...seed,
  };
}

export function ownControlPlane(seed: Partial<ControlPlaneState> = {}): ControlPlaneState {
  return {
    owner: "ours",
    name: "istiod",
    ...MANIFEST,
    workloadTtl: 86_400,
    serves: true,
    rolledOut: true,
    notReadyBecause: undefined,
    identity: undefined,
    ...seed,
  };
}

/** How `reader` holds a credential of `target` that was granted at `NOW` for seven days. */
export function aRemoteSecret(
  reader: Cluster,
  target: Cluster,
  seed: Partial<RemoteSecretState> = {},
): RemoteSecretState {
  const endpoint = target.endpoints.dns ?? target.endpoints.public ?? target.endpoints.private;
  if (endpoint === undefined) throw new TypeError("the target has no endpoint; give it one");
  return {
    name: remoteSecretName(clusterId(target.ref)),
    owner: "ours",
    isRead: true,
    targetId: clusterId(target.ref),
    uid: `uid of ${remoteSecretName(clusterId(target.ref))}`,
    resourceVersion: "8",
    targetResource: clusterResource(target.ref),
    targetGkeId: target.id,
    endpointDigest: endpointDigest(endpoint),
    readerUid: readerUid(reader),
    createdAt: NOW,
    tokenIssuedAt: NOW,
    tokenExpiresAt: new Date(NOW.getTime() + 7 * 86_400_000),
    editedBy: undefined,
    ...seed,
  };
}

/** How `reader` is known in a target. */
export function aReaderSecret(reader: Cluster, seed: Partial<ReaderSecretState> = {}): ReaderSecretState {
  const readerId = clusterId(reader.ref);
  return {
    name: readerSecretName(readerId),
    owner: "ours",
    readerId,
    uid: readerUid(reader),
    resourceVersion: "1",
    readerResource: clusterResource(reader.ref),
    readerGkeId: reader.id,
    createdAt: NOW,
    ...seed,
  };
}

function readerUid(reader: Cluster): string {
  return `uid of ${clusterId(reader.ref)}`;
}

/** Members that are paired with each other both ways round. */
export function aPairedFleet(clusters: readonly Cluster[]): Member[] {
  return clusters.map((cluster) => {
    const peers = clusters.filter((peer) => peer !== cluster);
    return aMember(cluster, {
      remoteSecrets: peers.map((peer) => aRemoteSecret(cluster, peer)),
      readerSecrets: peers.map((peer) => aReaderSecret(peer)),
    });
  });
}

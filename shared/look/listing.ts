import { type Finding, finding } from "../core/answers/finding.ts";
import type { Cluster } from "../core/cluster/cluster.ts";
import { nonMemberReason } from "../core/cluster/membership.ts";
import { clusterId, clusterResource } from "../core/names.ts";
import { MeshjoinError } from "../errors.ts";
import type { ClusterSource, SourceListing } from "../ports/cluster-sources.ts";
import type { Ports } from "../ports/ports.ts";
import type { Run } from "../run.ts";

/** As much of a run as it takes to find clusters. */
export interface Eyes extends Pick<Run, "spec" | "signal"> {
  readonly ports: Pick<Ports, "sources">;
}

/** What all sources say. */
export interface Listing {
  /** Every cluster, member or not, by cluster ID. */
  readonly clusters: readonly Cluster[];
  /** Those of them that are members. */
  readonly members: readonly Cluster[];
  /** Cluster IDs that more than one member would have. */
  readonly collisions: ReadonlySet<string>;
  readonly findings: readonly Finding[];
  /** Of each source of which nothing is known: why. */
  readonly failed: readonly MeshjoinError[];
  /** Nothing is known of any source. */
  readonly isBlind: boolean;
}

/**
 * One broken source must not keep the others from being looked at; it is named, and its members are left alone. What does
 * not answer now is as it was in the listing `before`. `fresh` are clusters that were read just now: they stand for
 * themselves.
 */
export async function listClusters(
  { ports, spec, signal }: Eyes,
  before?: Listing,
  fresh: readonly Cluster[] = [],
): Promise<Listing> {
  const listings = await Promise.all(
    ports.sources.configured(spec).map(async (source) => ({ source, listing: await listed(source, signal) })),
  );
  const known = Map.groupBy(before?.clusters ?? [], ({ ref }) => ports.sources.of(ref).id);
  const names = new Set(fresh.map(({ ref }) => clusterResource(ref)));
  const others = listings
    .flatMap((each) => clustersOf(each, known.get(each.source.id) ?? []))
    .filter(({ ref }) => !names.has(clusterResource(ref)));
  const clusters = [...others, ...fresh].toSorted((a, b) => (clusterId(a.ref) < clusterId(b.ref) ? -1 : 1));
  const members = clusters.filter((cluster) => nonMemberReason(cluster, spec) === undefined);
  const failed = listings.flatMap(({ listing }) => (listing instanceof MeshjoinError ? [listing] : []));
  return {
    clusters,
    members,
    collisions: collisionsOf(members),
    findings: listings.flatMap((each) => incomplete(each) ?? []),
    failed,
    isBlind: failed.length > 0 && failed.length === listings.length,
  };
}

/** A source's listing, or why there is none. */
async function listed(source: ClusterSource, signal: AbortSignal): Promise<SourceListing | MeshjoinError> {
  try {
    return await source.list(signal);
  } catch (error) {
    if (error instanceof MeshjoinError) return error;
    throw error;
  }
}

interface Listed {
  readonly source: ClusterSource;
  readonly listing: SourceListing | MeshjoinError;
}

/** `known` are those that it had before. */
function clustersOf({ listing }: Listed, known: readonly Cluster[]): readonly Cluster[] {
  if (listing instanceof MeshjoinError) return known;
  return [...listing.clusters, ...known.filter(({ ref }) => listing.leavesOut(ref))];
}

function incomplete({ source, listing }: Listed): Finding | undefined {
  if (!(listing instanceof MeshjoinError) && listing.silent.length === 0) return undefined;
  const why =
    listing instanceof MeshjoinError ? listing.message : `no answer from ${listing.silent.join(", ")}`;
  return finding(
    "ListingIncomplete",
    `not all clusters of ${source.name} are known: ${why}`,
    `check ${source.needs.api} and Meshjoin's permissions in project ${source.needs.project}; nothing is removed on this account`,
  );
}

function collisionsOf(members: readonly Cluster[]): Set<string> {
  const ids = members.map(({ ref }) => clusterId(ref));
  return new Set(ids.filter((id, index) => ids.indexOf(id) !== index));
}

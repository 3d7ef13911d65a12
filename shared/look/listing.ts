import { type Finding, finding } from "../core/answers/finding.ts";
import type { Cluster } from "../core/cluster/cluster.ts";
import { nonMemberReason } from "../core/cluster/membership.ts";
import { clusterId, clusterResource } from "../core/names.ts";
import { MeshjoinError } from "../errors.ts";
import type { ClusterSource, SourceListing } from "../ports/cluster-sources.ts";
import type { Ports } from "../ports/ports.ts";
import type { Run } from "../run.ts";

/** The part of a run that is needed to find clusters. */
export interface Eyes extends Pick<Run, "spec" | "signal"> {
  readonly ports: Pick<Ports, "sources">;
}

/** The clusters of all sources. */
export interface Listing {
  /** Every cluster, member or not, by cluster ID. */
  readonly clusters: readonly Cluster[];
  /** The members among them. */
  readonly members: readonly Cluster[];
  /** Cluster IDs that more than one member would have. */
  readonly collisions: ReadonlySet<string>;
  readonly findings: readonly Finding[];
  /** One error for each source that told nothing. */
  readonly failed: readonly MeshjoinError[];
  /** No source told anything. */
  readonly isBlind: boolean;
}

/**
 * A broken source does not keep the others from being read; it is named, and its members are left alone.
 * Clusters of a source that is silent now are taken from the listing `before`. `fresh` are clusters that were
 * read just now: they replace their entries in the lists.
 */
export async function listClusters(
  { ports, spec, signal }: Eyes,
  before?: Listing,
  fresh: readonly Cluster[] = [],
): Promise<Listing> {
  const listings = await Promise.all(
    ports.sources.configured(spec).map(async (source) => ({ source, listing: await list(source, signal) })),
  );
  const earlier = Map.groupBy(before?.clusters ?? [], ({ ref }) => ports.sources.of(ref).id);
  const names = new Set(fresh.map(({ ref }) => clusterResource(ref)));
  const others = listings
    .flatMap((each) => clustersOf(each, earlier.get(each.source.id) ?? []))
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

/** A source's listing, or the error in its place. */
async function list(source: ClusterSource, signal: AbortSignal): Promise<SourceListing | MeshjoinError> {
  try {
    return await source.list(signal);
  } catch (error) {
    if (error instanceof MeshjoinError) return error;
    throw error;
  }
}

interface SourceResult {
  readonly source: ClusterSource;
  readonly listing: SourceListing | MeshjoinError;
}

/** `earlier` are the clusters of its listing before. */
function clustersOf({ listing }: SourceResult, earlier: readonly Cluster[]): readonly Cluster[] {
  if (listing instanceof MeshjoinError) return earlier;
  return [...listing.clusters, ...earlier.filter(({ ref }) => listing.leavesOut(ref))];
}

function incomplete({ source, listing }: SourceResult): Finding | undefined {
  if (!(listing instanceof MeshjoinError) && listing.silent.length === 0) return undefined;
  const why =
    listing instanceof MeshjoinError ? listing.message : `no answer from ${listing.silent.join(", ")}`;
  return finding(
    "ListingIncomplete",
    `not all clusters of ${source.name} are known: ${why}`,
    `check ${source.needs.api} and Meshjoin's permissions in project ${source.needs.project}: meshjoin doctor; Meshjoin removes nothing on this account`,
  );
}

function collisionsOf(members: readonly Cluster[]): Set<string> {
  const ids = members.map(({ ref }) => clusterId(ref));
  return new Set(ids.filter((id, index) => ids.indexOf(id) !== index));
}

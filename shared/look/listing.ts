import type { Cluster } from "../core/cluster.ts";
import { type Finding, finding } from "../core/finding.ts";
import { isLeftOut, nonMemberReason } from "../core/membership.ts";
import { clusterId, clusterResource } from "../core/names.ts";
import { MeshjoinError } from "../errors.ts";
import type { Run } from "../run.ts";

/** What the GKE API says of the configured projects. */
export interface Listing {
  /** Every cluster, member or not, by cluster ID. */
  readonly clusters: readonly Cluster[];
  /** Those of them that are members. */
  readonly members: readonly Cluster[];
  /** Cluster IDs that more than one member would have. */
  readonly collisions: ReadonlySet<string>;
  readonly findings: readonly Finding[];
  /** By project: why its clusters are not known. */
  readonly failed: ReadonlyMap<string, MeshjoinError>;
}

/** As much of a run as it takes to list. */
interface Look extends Pick<Run, "spec" | "signal"> {
  readonly ports: Pick<Run["ports"], "directory">;
}

/**
 * One broken project must not keep the others from being looked at; it is named, and its members are left alone. What does
 * not answer now is as it was in the listing `before`. `fresh` are clusters that were read just now: they stand for
 * themselves.
 */
export async function listClusters(
  { ports, spec, signal }: Look,
  before?: Listing,
  fresh: readonly Cluster[] = [],
): Promise<Listing> {
  const failed = new Map<string, MeshjoinError>();
  const findings: Finding[] = [];
  const known = (project: string, locations?: readonly string[]) =>
    (before?.clusters ?? []).filter(
      ({ ref }) => ref.project === project && (locations === undefined || isLeftOut(ref.location, locations)),
    );
  const perProject = await Promise.all(
    spec.projects.map(async (project) => {
      try {
        const { clusters, missingLocations } = await ports.directory.list(project, signal);
        if (missingLocations.length === 0) return clusters;
        findings.push(incomplete(project, `no answer from ${missingLocations.join(", ")}`));
        return [...clusters, ...known(project, missingLocations)];
      } catch (error) {
        if (!(error instanceof MeshjoinError)) throw error;
        failed.set(project, error);
        findings.push(incomplete(project, error.message));
        return known(project);
      }
    }),
  );
  const names = new Set(fresh.map(({ ref }) => clusterResource(ref)));
  const listed = perProject.flat().filter(({ ref }) => !names.has(clusterResource(ref)));
  const clusters = [...listed, ...fresh].toSorted((a, b) => (clusterId(a.ref) < clusterId(b.ref) ? -1 : 1));
  const members = clusters.filter((cluster) => nonMemberReason(cluster, spec) === undefined);
  return {
    clusters,
    members,
    collisions: collisionsOf(members),
    findings,
    failed,
  };
}

function incomplete(project: string, why: string): Finding {
  return finding(
    "ListingIncomplete",
    `not all clusters of project ${project} are known: ${why}`,
    "check the GKE API and Meshjoin's permissions in the project; nothing is removed on this account",
  );
}

function collisionsOf(members: readonly Cluster[]): Set<string> {
  const ids = members.map(({ ref }) => clusterId(ref));
  return new Set(ids.filter((id, index) => ids.indexOf(id) !== index));
}

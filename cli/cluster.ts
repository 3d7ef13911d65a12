import type { Finding } from "../shared/core/answers/finding.ts";
import type { Cluster } from "../shared/core/cluster/cluster.ts";
import { nonMemberReason } from "../shared/core/cluster/membership.ts";
import { isConfigured, notConfigured } from "../shared/core/cluster/sources.ts";
import { CLUSTER_FORMS, clusterId, parseClusterResource } from "../shared/core/names.ts";
import type { Scope } from "../shared/core/request.ts";
import { InputError, type MeshjoinError, UnavailableError } from "../shared/errors.ts";
import { type Eyes, listClusters } from "../shared/look/listing.ts";
import { lookAtMesh } from "../shared/look/mesh.ts";
import { nearest } from "../shared/nearest.ts";
import type { OperatorRun } from "../shared/operator.ts";

const NEAR_MAX = 3;
const LISTED_MAX = 10;

/**
 * The cluster that `name` names, member or not. Fails with InputError `ClusterUnknown`, which suggests
 * similar names; or with a source's error, or `ListingIncomplete`, if a source may have it and did not say.
 */
export async function findCluster(run: Eyes, name: string): Promise<Cluster> {
  const { cluster, others, unlisted } = await look(run, name);
  if (cluster === undefined) throw unknown(name, others, unlisted);
  return cluster;
}

/**
 * The scope of a run: the whole mesh, or the cluster that `name` names. The cluster may be gone, as long as a
 * member holds credentials of it. If it exists and is no member, a line says so. Fails as `findCluster` does.
 */
export async function scopeOf(
  run: OperatorRun,
  name: string | undefined,
  say: (line: string) => void,
): Promise<Scope> {
  if (name === undefined) return "mesh";
  const { cluster, others, unlisted } = await look(run, name);
  const ref = cluster?.ref ?? parseClusterResource(name);
  const scope = { clusterId: ref === undefined ? name : clusterId(ref) };
  if (cluster !== undefined) {
    const reason = nonMemberReason(cluster, run.spec);
    if (reason !== undefined) say(`${scope.clusterId} is no member of mesh ${run.spec.meshId}: ${reason}`);
    return scope;
  }
  const { departures } = await lookAtMesh(run, "mesh");
  const gone = departures.map(({ departed }) => departed);
  const known =
    gone.find((each) => each.clusterId === scope.clusterId) ?? gone.find((each) => each.ref?.name === name);
  if (known === undefined) throw unknown(name, others, unlisted);
  return { clusterId: known.clusterId };
}

interface Look {
  readonly cluster: Cluster | undefined;
  /** The other clusters, for suggestions. */
  readonly others: readonly Cluster[];
  /** Where the lists left something out, it may be the cluster that was asked for. */
  readonly unlisted: Finding | undefined;
}

async function look(run: Eyes, name: string): Promise<Look> {
  const ref = parseClusterResource(name);
  if (ref !== undefined && !isConfigured(ref, run.spec)) throw leftOut(notConfigured(ref, run.spec));
  const read = ref === undefined ? undefined : await run.ports.sources.of(ref).get(ref, run.signal);
  if (read !== undefined) return { cluster: read, others: [], unlisted: undefined };
  const { clusters, failed, findings } = await listClusters(run);
  const cluster = ref === undefined ? chosen(name, clusters, failed) : undefined;
  const [error] = failed;
  if (cluster === undefined && ref === undefined && error !== undefined) throw error;
  return { cluster, others: clusters, unlisted: ref === undefined ? findings[0] : undefined };
}

/** By its ID, or by its own name where no other cluster has it. */
function chosen(
  name: string,
  clusters: readonly Cluster[],
  failed: readonly MeshjoinError[],
): Cluster | undefined {
  const own = clusters.find(({ ref }) => clusterId(ref) === name);
  const namesakes = clusters.filter(({ ref }) => ref.name === name);
  const [first] = namesakes;
  if (own !== undefined || first === undefined) return own;
  const ids = namesakes.map(({ ref }) => clusterId(ref));
  const [silent] = failed;
  const cure = `say ${ids.join(" or ")}`;
  if (ids.length > 1)
    throw new InputError(`there are ${ids.length} clusters ${name}`, {
      code: "ClusterUnknown",
      cure,
      field: "CLUSTER",
    });
  if (silent !== undefined) throw mayHaveNamesake(name, silent, cure);
  return first;
}

/** Time may tell, if it may end the silence. */
function mayHaveNamesake(name: string, silent: MeshjoinError, cure: string): MeshjoinError {
  const message = `there may be another cluster ${name}: ${silent.message}`;
  return silent.retryable
    ? new UnavailableError(message, { code: "ClusterUnknown", cure, cause: silent })
    : new InputError(message, { code: "ClusterUnknown", cure, cause: silent, field: "CLUSTER" });
}

function leftOut({ why, cure }: ReturnType<typeof notConfigured>): InputError {
  return new InputError(why, { code: "ProjectNotConfigured", cure, field: "CLUSTER" });
}

function unknown(
  name: string,
  clusters: readonly Cluster[],
  unlisted: Finding | undefined,
): InputError | UnavailableError {
  const near = nearOnes(name, clusters);
  if (unlisted !== undefined && near.length === 0) {
    const { message, cure, reason: code } = unlisted;
    return new UnavailableError(`no cluster ${name} is listed, and ${message}`, { code, cure });
  }
  const cure = near.length > 0 ? `did you mean ${near.join(" or ")}?` : choices(clusters);
  return new InputError(`there is no cluster ${name}`, { code: "ClusterUnknown", cure, field: "CLUSTER" });
}

function choices(clusters: readonly Cluster[]): string {
  const ids = clusters.slice(0, LISTED_MAX).map(({ ref }) => clusterId(ref));
  const rest = clusters.length - ids.length;
  const more = rest > 0 ? ` and ${rest} more` : "";
  return `use ${CLUSTER_FORMS} of a configured project, which ${ids.length === 0 ? "have no cluster" : `have ${ids.join(", ")}${more}`}`;
}

/** Clusters with a similar name or cluster ID. */
function nearOnes(name: string, clusters: readonly Cluster[]): string[] {
  const own = name.slice(name.lastIndexOf("/") + 1);
  const byName = clusters.filter(({ ref }) => nearest(own, [ref.name]) !== undefined);
  const byId = nearest(
    name,
    clusters.map(({ ref }) => clusterId(ref)),
  );
  const ids = [...(byId === undefined ? [] : [byId]), ...byName.map(({ ref }) => clusterId(ref))];
  return [...new Set(ids)].slice(0, NEAR_MAX);
}

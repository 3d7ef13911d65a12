import { type Check, fine, unknown } from "../core/answers/check.ts";
import type { Cluster } from "../core/cluster/cluster.ts";
import { nonMemberReason } from "../core/cluster/membership.ts";
import { count } from "../core/count.ts";
import type { MeshSpec } from "../core/spec.ts";
import type { ClusterSource } from "../ports/cluster-sources.ts";
import type { Ports } from "../ports/ports.ts";
import { notRead } from "./google.ts";
import { enableApi, type Grants } from "./grants.ts";

/** The clusters of all configured sources, as the account sees them. */
export interface SourcesCheck {
  /** One for each source. */
  readonly checks: readonly Check[];
  readonly clusters: readonly Cluster[];
  readonly members: readonly Cluster[];
  /** `clusters` are all clusters. */
  readonly isComplete: boolean;
}

export async function checkSources(
  { sources }: Pick<Ports, "sources">,
  spec: MeshSpec,
  grants: Grants,
  signal?: AbortSignal,
): Promise<SourcesCheck> {
  const results = await Promise.all(
    sources.configured(spec).map((source) => checkSource(source, spec, grants, signal)),
  );
  const clusters = results.flatMap((result) => result.clusters);
  return {
    checks: results.map(({ check }) => check),
    clusters,
    members: clusters.filter((cluster) => nonMemberReason(cluster, spec) === undefined),
    isComplete: results.every((result) => result.isComplete),
  };
}

interface SourceCheck {
  readonly check: Check;
  readonly clusters: readonly Cluster[];
  readonly isComplete: boolean;
}

/** Whether the account may list a source's clusters, and all of the source answered. */
async function checkSource(
  source: ClusterSource,
  spec: MeshSpec,
  grants: Grants,
  signal: AbortSignal | undefined,
): Promise<SourceCheck> {
  const subject = { name: "clusters", account: grants.account } as const;
  const about = (message: string) => `${source.id}: ${message}`;
  try {
    const { clusters, silent } = await source.list(signal);
    if (silent.length > 0) {
      const cure = "ask again; until then Meshjoin knows nothing of the clusters there, and removes nothing";
      const check = unknown(subject, about(`no answer from ${silent.join(", ")}`), cure);
      return { check, clusters, isComplete: false };
    }
    const members = clusters.filter((cluster) => nonMemberReason(cluster, spec) === undefined);
    const listed = about(`${clusters.length} listed, ${members.length} of them members`);
    const others = members.length === 0 ? otherMeshes(clusters, spec) : [];
    const check =
      others.length === 0
        ? fine(subject, listed)
        : unknown(subject, `${listed}; labels seen: ${others.map(seen).join(", ")}`, meantOf(others, spec));
    return { check, clusters, isComplete: true };
  } catch (error) {
    return {
      check: notRead(subject, error, about, sourceCures(source, grants)),
      clusters: [],
      isComplete: false,
    };
  }
}

interface OtherMesh {
  /** `mesh_id=prod`. */
  readonly label: string;
  readonly meshId: string;
  readonly clusters: number;
}

/** Other values of the mesh's label, the most frequent first: a mesh ID may be mistyped. */
function otherMeshes(clusters: readonly Cluster[], { meshLabel }: MeshSpec): OtherMesh[] {
  const labelled = clusters.flatMap(({ labels }) => labels[meshLabel] ?? []);
  return [...Map.groupBy(labelled, (meshId) => meshId)]
    .map(([meshId, all]) => ({ label: `${meshLabel}=${meshId}`, meshId, clusters: all.length }))
    .toSorted((a, b) => b.clusters - a.clusters || (a.meshId < b.meshId ? -1 : 1));
}

const seen = ({ label, clusters }: OtherMesh) => `${label} on ${count(clusters, "cluster")}`;

function meantOf([first]: readonly OtherMesh[], { meshId }: MeshSpec): string {
  return `did you mean ${first?.meshId}? then set MESHJOIN_MESH_ID=${first?.meshId}; if a new mesh ${meshId} is meant, label its first cluster: meshjoin label CLUSTER`;
}

/** The cures that let an account list a source, by error code. */
export function sourceCures({ needs }: ClusterSource, grants: Grants): Readonly<Record<string, string>> {
  const { api, project, role } = needs;
  return { PermissionDenied: grants.onProject(project, role), ServiceDisabled: enableApi(api, project) };
}

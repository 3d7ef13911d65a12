import { type Check, fine, unknown } from "../core/answers/check.ts";
import type { Cluster } from "../core/cluster/cluster.ts";
import { nonMemberReason } from "../core/cluster/membership.ts";
import type { MeshSpec } from "../core/spec.ts";
import type { ClusterSource } from "../ports/cluster-sources.ts";
import type { Ports } from "../ports/ports.ts";
import { notRead } from "./google.ts";
import { enableApi, type Grants } from "./grants.ts";

/** The clusters of all configured sources, as the account sees them. */
export interface SourcesCheck {
  /** One for each source. */
  readonly checks: readonly Check[];
  readonly members: readonly Cluster[];
  /** `members` are all members. */
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
  return {
    checks: results.map(({ check }) => check),
    members: results.flatMap(({ members }) => members),
    isComplete: results.every(({ check }) => check.state === "ok"),
  };
}

/** Whether the account may list a source's clusters, and all of the source answered. */
async function checkSource(
  source: ClusterSource,
  spec: MeshSpec,
  grants: Grants,
  signal: AbortSignal | undefined,
): Promise<{ readonly check: Check; readonly members: readonly Cluster[] }> {
  const subject = { name: "clusters", account: grants.account } as const;
  const about = (message: string) => `${source.id}: ${message}`;
  try {
    const { clusters, silent } = await source.list(signal);
    const members = clusters.filter((cluster) => nonMemberReason(cluster, spec) === undefined);
    const check =
      silent.length === 0
        ? fine(subject, about(`${clusters.length} listed, ${members.length} of them members`))
        : unknown(
            subject,
            about(`no answer from ${silent.join(", ")}`),
            "ask again; until then Meshjoin knows nothing of the clusters there, and removes nothing",
          );
    return { check, members };
  } catch (error) {
    return { check: notRead(subject, error, about, sourceCures(source, grants)), members: [] };
  }
}

/** The cures that let an account list a source, by error code. */
export function sourceCures({ needs }: ClusterSource, grants: Grants): Readonly<Record<string, string>> {
  const { api, project, role } = needs;
  return { PermissionDenied: grants.onProject(project, role), ServiceDisabled: enableApi(api, project) };
}

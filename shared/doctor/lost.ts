import pLimit from "p-limit";
import { within } from "../async/within.ts";
import { type Check, type CheckState, fault, unknown } from "../core/answers/check.ts";
import type { Cluster } from "../core/cluster/cluster.ts";
import { mayHaveBeenMember } from "../core/cluster/membership.ts";
import { judgeAbsence } from "../core/member/absence.ts";
import { clusterId } from "../core/names.ts";
import type { MeshSpec } from "../core/spec.ts";
import { readerSecretState, remoteSecretState } from "../istio/member-state.ts";
import { RECORD, readRecord } from "../istio/record-config-map.ts";
import { sharing } from "../istio/same-text.ts";
import { type Asking, lookForLost } from "../look/lost.ts";
import { SECRETS } from "../look/member.ts";
import type { KubernetesObject } from "../ports/kubernetes-object.ts";
import type { Ports } from "../ports/ports.ts";
import { ours } from "./google.ts";
import type { Grants } from "./grants.ts";
import { checkSources, type SourcesCheck } from "./sources.ts";

type MembershipPorts = Pick<Ports, "fleet" | "sources">;

const CLUSTERS_AT_ONCE = 16;
const ANSWER_MS = 5000;

/**
 * The sources, and whether the mesh has lost clusters that they list. A list without members is not well if
 * there were some, and not known to be if nobody could be asked.
 */
export async function checkMembership(
  ports: MembershipPorts,
  spec: MeshSpec,
  grants: Grants,
  signal: AbortSignal,
): Promise<SourcesCheck> {
  const sources = await checkSources(ports, spec, grants, signal);
  const asking = { ports, spec, signal, inTurn: pLimit(CLUSTERS_AT_ONCE) };
  const { lost, unasked } = await lostOf(asking, sources);
  const subject = { name: "clusters", account: grants.account } as const;
  const faults = lost.map(({ cluster, why, cure }): Check => {
    const id = clusterId(cluster.ref);
    return fault({ ...subject, clusterId: id }, `the mesh has lost it: ${why}`, cure);
  });
  const silence = unasked.map((id) =>
    unknown(
      { ...subject, clusterId: id },
      "no member is there, and it did not say whether it was one",
      "if it was one, make its API server answer and admit Meshjoin; otherwise nothing is wrong",
    ),
  );
  const worst = faults.length > 0 ? "fault" : silence.length > 0 ? "unknown" : "ok";
  const lists =
    sources.members.length > 0 ? sources.checks : sources.checks.map((each) => emptied(each, worst));
  return { ...sources, checks: [...lists, ...faults, ...silence] };
}

/** A list without members is as well as the clusters on it. */
function emptied(check: Check, worst: CheckState): Check {
  if (check.state !== "ok" || worst === "ok") return check;
  return { ...check, state: worst, cure: "see the lines of its clusters" };
}

interface LostCluster {
  readonly cluster: Cluster;
  readonly why: string;
  readonly cure: string;
}

/** With members, those of which one still holds credentials; without, those that still carry the mesh. */
async function lostOf(
  asking: Asking,
  { clusters, members }: SourcesCheck,
): Promise<{ readonly lost: readonly LostCluster[]; readonly unasked: readonly string[] }> {
  const { spec } = asking;
  const suspects = clusters.filter((cluster) => mayHaveBeenMember(cluster, spec));
  if (suspects.length === 0) return { lost: [], unasked: [] };
  const held = members.length === 0 ? undefined : await heldBy(asking, members);
  const asked = suspects.filter(({ ref }) => held?.has(clusterId(ref)) ?? true);
  const answer = await lookForLost(asking, asked);
  const silent = asked.filter(({ ref }) => answer.unasked.includes(clusterId(ref)));
  const gone = held === undefined ? answer.clusters : [...answer.clusters, ...silent];
  return {
    lost: gone.map((cluster) => lossOf(cluster, spec)),
    unasked: held === undefined ? answer.unasked : [],
  };
}

function lossOf(cluster: Cluster, spec: MeshSpec): LostCluster {
  const { ref } = cluster;
  const { why, cure } = judgeAbsence({ clusterId: clusterId(ref), ref }, cluster, spec);
  return { cluster, why, cure: cure ?? "set MESHJOIN_ALLOW as it is for the functions" };
}

/**
 * IDs of the clusters that Meshjoin's Secrets on the members name, or their records. A silent member has a
 * line of its own.
 */
async function heldBy(
  { ports, spec, signal, inTurn }: Asking,
  members: readonly Cluster[],
): Promise<ReadonlySet<string>> {
  const share = sharing();
  const ids = members.map((cluster) =>
    inTurn(async () => {
      const { reader } = ports.fleet.member(cluster);
      const limit = within(signal, ANSWER_MS);
      const [secrets, records] = await Promise.all([
        listed(() => reader.list(SECRETS, limit)),
        listed(async () => [(await reader.get(RECORD, limit)) ?? []].flat()),
      ]);
      const unpaired = records.flatMap((record) => readRecord(record, spec.meshId).unpaired ?? []);
      const named = secrets.flatMap((secret) => {
        const remote = remoteSecretState(secret, spec.meshId, share);
        const made = readerSecretState(secret, spec.meshId, share);
        return [
          ...(remote?.owner === "ours" ? [remote.targetId] : []),
          ...(made?.owner === "ours" ? [made.readerId] : []),
        ];
      });
      return [...named, ...unpaired.map((each) => each.clusterId)];
    }),
  );
  return new Set((await Promise.all(ids)).flat());
}

async function listed(
  list: () => Promise<readonly KubernetesObject[]>,
): Promise<readonly KubernetesObject[]> {
  try {
    return await list();
  } catch (error) {
    ours(error);
    return [];
  }
}

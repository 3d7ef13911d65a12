import { type Check, fine, unknown } from "../../shared/core/answers/check.ts";
import type { Cluster } from "../../shared/core/cluster/cluster.ts";
import { peerEndpoint } from "../../shared/core/cluster/endpoints.ts";
import { type NamedCluster, named } from "../../shared/core/member/observation.ts";
import type { MeshSpec } from "../../shared/core/spec.ts";
import { MeshjoinError } from "../../shared/errors.ts";
import { isReady } from "../../shared/istio/workload.ts";
import { ISTIOD_PODS } from "../../shared/look/member.ts";
import type { Fleet } from "../../shared/ports/fleet.ts";
import { someOf } from "../render/words.ts";

const TIMEOUT_MS = 20_000;
const SUBJECT = { name: "network", account: "caller" } as const;

/**
 * Whether istiods read the members of other networks that have a private endpoint for them. No cluster tells
 * how networks are connected, so the istiods are asked what they have synced.
 * https://cloud.google.com/vpc/docs/vpc-peering#no-transitive-peering
 */
export async function checkPrivateEndpoints(
  fleet: Fleet,
  members: readonly Cluster[],
  spec: MeshSpec,
): Promise<Check[]> {
  const all = members.map(named);
  const targets = all.filter(({ cluster, clusterId }) => {
    const choice = peerEndpoint(cluster, spec.accessPeers, clusterId);
    return "endpoint" in choice && choice.endpoint.kind === "private";
  });
  const links = all.flatMap((reader) => {
    const others = targets.filter(({ network }) => network !== reader.network);
    return others.length === 0 ? [] : [{ reader, targets: others.map(({ clusterId }) => clusterId) }];
  });
  if (links.length === 0) return [];
  const checks = await Promise.all(
    links.map(async ({ reader, targets: awaited }) => await viewReader(fleet, reader, awaited)),
  );
  const unseen = checks.flat();
  if (unseen.length > 0) return unseen;
  const read = [...new Set(links.flatMap((link) => link.targets))];
  return [
    fine(SUBJECT, `istiods of other networks have synced ${someOf(read)}, which have private endpoints`),
  ];
}

/** Unknown as long as one of its istiods has not synced one of the targets. */
async function viewReader(fleet: Fleet, reader: NamedCluster, targets: readonly string[]): Promise<Check[]> {
  const subject = { ...SUBJECT, clusterId: reader.clusterId };
  try {
    const synced = await syncedBy(fleet, reader.cluster);
    const rest = targets.filter((target) => !synced.has(target));
    if (rest.length === 0) return [];
    const message =
      `it is not known whether istiod of ${reader.clusterId} reaches the private endpoints of ${someOf(rest)} in ` +
      "other networks: it has not synced them, and VPC peering does not pass on what another peering brings";
    const cure =
      "if they have joined, see why the pairs are not synced: meshjoin status; an endpoint that needs no route: MESHJOIN_ACCESS_PEERS=dns";
    return [unknown(subject, message, cure)];
  } catch (error) {
    if (!(error instanceof MeshjoinError)) throw error;
    const message = `it is not known whether istiod of ${reader.clusterId} reaches private endpoints of other networks: ${error.message}`;
    return [unknown(subject, message, error.cure)];
  }
}

/** Cluster IDs that every istiod of the cluster lists as synced; none where no istiod is ready. */
async function syncedBy(fleet: Fleet, cluster: Cluster): Promise<ReadonlySet<string>> {
  const signal = AbortSignal.timeout(TIMEOUT_MS);
  const { reader, istiod } = fleet.member(cluster);
  const pods = (await reader.list(ISTIOD_PODS, signal)).filter((pod) => isReady(pod));
  const lists = await Promise.all(
    pods.map(async ({ metadata }) => {
      const session = istiod.open(metadata.name);
      try {
        const listed = await session.remoteClusters(signal);
        return new Set(listed.flatMap(({ clusterId, status }) => (status === "synced" ? [clusterId] : [])));
      } finally {
        session.close();
      }
    }),
  );
  const [first = new Set<string>(), ...others] = lists;
  return others.reduce((both, each) => both.intersection(each), first);
}

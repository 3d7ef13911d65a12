import { within } from "../async/within.ts";
import type { Cluster } from "../core/cluster/cluster.ts";
import { mayHaveBeenMember } from "../core/cluster/membership.ts";
import { clusterId } from "../core/names.ts";
import { namespaceState } from "../istio/member-state.ts";
import { ownerOf } from "../istio/ownership.ts";
import type { MemberApi } from "../ports/member-api.ts";
import type { Ports } from "../ports/ports.ts";
import type { Run } from "../run.ts";
import { NAMESPACE, SECRETS } from "./member.ts";

/** The part of a run that is needed to ask clusters that are no members. */
export interface Asking extends Pick<Run, "spec" | "signal" | "inTurn"> {
  readonly ports: Pick<Ports, "fleet">;
}

export interface Lost {
  /** Clusters that are no members and still carry the mesh. */
  readonly clusters: readonly Cluster[];
  /** IDs of clusters that did not answer, or refused. */
  readonly unasked: readonly string[];
}

/** A cluster that takes longer has not answered. */
const ANSWER_MS = 5000;

/**
 * Asks every listed cluster that may have been a member whether it still carries the mesh, one request for
 * each without Istio. It is for a mesh without a member that could tell: a label that all have lost leaves no
 * other trace. A cluster that has left for good has a note of that on its namespace.
 */
export async function lookForLost(
  { ports, spec, signal, inTurn }: Asking,
  listed: readonly Cluster[],
): Promise<Lost> {
  const answers = await Promise.all(
    listed
      .filter((cluster) => mayHaveBeenMember(cluster, spec))
      .map((cluster) =>
        inTurn(async () => {
          const ask = () => carriesMesh(ports.fleet.member(cluster), spec.meshId, within(signal, ANSWER_MS));
          return { cluster, carries: await orUnknown(ask) };
        }),
      ),
  );
  return {
    clusters: answers.flatMap(({ cluster, carries }) => (carries === true ? [cluster] : [])),
    unasked: answers.flatMap(({ cluster, carries }) =>
      carries === "unknown" ? [clusterId(cluster.ref)] : [],
    ),
  };
}

/** No answer of any kind says that the cluster was no member. */
async function orUnknown(ask: () => Promise<boolean>): Promise<boolean | "unknown"> {
  try {
    return await ask();
  } catch {
    return "unknown";
  }
}

async function carriesMesh({ reader }: MemberApi, meshId: string, signal: AbortSignal): Promise<boolean> {
  const namespace = await reader.get(NAMESPACE, signal);
  if (namespace === undefined) return false;
  if (namespaceState(namespace, meshId).leftAt !== undefined) return false;
  return (await reader.list(SECRETS, signal)).some(({ metadata }) => ownerOf(metadata, meshId) === "ours");
}

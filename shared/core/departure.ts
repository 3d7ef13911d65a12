import type { Cluster, ClusterRef } from "./cluster.ts";
import { nonMemberReason } from "./membership.ts";
import { parseClusterResource } from "./names.ts";
import { isReachable, type Member } from "./observation.ts";
import type { MeshSpec } from "./spec.ts";

/** A cluster that members still hold credentials of, or for, though it is none of them any more. */
export interface Departed {
  readonly clusterId: string;
  /** GKE's `Cluster.id` of the very cluster that the credentials were made for. */
  readonly gkeId: string;
  /** Undefined where nothing on the members tells any more. */
  readonly ref: ClusterRef | undefined;
}

/**
 * Whoever the members' own remote and reader Secrets speak of and is not among the members, by cluster ID. One that was
 * recreated under its name is among them; its pairs are made anew.
 */
export function departedFrom(members: readonly Member[]): Departed[] {
  const present = new Set(members.map(({ clusterId }) => clusterId));
  const found = new Map<string, Departed>();
  const note = (clusterId: string, resource: string | undefined, gkeId: string | undefined) => {
    if (clusterId === "" || present.has(clusterId)) return;
    const known = found.get(clusterId);
    const ref = parseClusterResource(resource ?? "") ?? known?.ref;
    found.set(clusterId, { clusterId, gkeId: gkeId ?? known?.gkeId ?? "", ref });
  };
  for (const { state } of members.filter(isReachable)) {
    for (const { owner, targetId, targetResource, targetGkeId } of state.remoteSecrets)
      if (owner === "ours") note(targetId, targetResource, targetGkeId);
    for (const { owner, readerId, readerResource, readerGkeId } of state.readerSecrets)
      if (owner === "ours") note(readerId, readerResource, readerGkeId);
  }
  return [...found.values()].toSorted((a, b) => (a.clusterId < b.clusterId ? -1 : 1));
}

/**
 * How sure it is that a cluster is no member any more (design rule 8): `proved` (STOPPING, gone, or another cluster of
 * its name), `assumed` (on the word of a label, a list or the configuration), or `open`. `why` is for people.
 */
export interface Absence {
  readonly certainty: "proved" | "assumed" | "open";
  readonly why: string;
}

/** What the GKE API says of one cluster. `refused` proves nothing; `silent` may be trusted to a list that answered. */
export type Answer = Cluster | "absent" | "refused" | "silent";

export interface Evidence {
  readonly answer: Answer;
  /** Whether a list of its project and location answered without it. */
  readonly listedWithout: boolean;
}

export function judgeAbsence(departed: Departed, evidence: Evidence, spec: MeshSpec): Absence {
  if (departed.ref === undefined) {
    return { certainty: "open", why: "nothing tells which cluster its credentials were made for" };
  }
  if (!spec.projects.includes(departed.ref.project)) {
    return { certainty: "assumed", why: `project ${departed.ref.project} is not configured` };
  }
  const { answer } = evidence;
  switch (answer) {
    case "absent":
      return { certainty: "proved", why: "it is deleted" };
    case "refused":
      return { certainty: "open", why: "Meshjoin may not read it" };
    case "silent":
      return evidence.listedWithout
        ? { certainty: "assumed", why: "it is not in the list of clusters" }
        : { certainty: "open", why: "the GKE API does not answer" };
    default:
      return judgeCluster(departed, answer, spec);
  }
}

function judgeCluster({ gkeId }: Departed, cluster: Cluster, spec: MeshSpec): Absence {
  if (cluster.id !== gkeId) return { certainty: "proved", why: "another cluster has its name now" };
  if (cluster.status === "STOPPING") return { certainty: "proved", why: "it is being deleted" };
  const reason = nonMemberReason(cluster, spec);
  if (reason === undefined)
    return { certainty: "open", why: "it is a member that the list does not hold yet" };
  return { certainty: "assumed", why: WORDS[reason] ?? reason };
}

const WORDS: Readonly<Partial<Record<string, string>>> = {
  NotLabelled: "it does not carry the mesh's label any more",
  OtherMesh: "it is labelled for another mesh",
  NotAllowed: "the allow-list does not name it",
  Failed: "GKE calls it failed",
};

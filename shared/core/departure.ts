import type { Cluster, ClusterRef } from "./cluster.ts";
import { type NonMemberReason, nonMemberReason } from "./membership.ts";
import { ISTIO_NAMESPACE, parseClusterResource } from "./names.ts";
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
 * its name), `assumed` (on the word of its label), `notConfigured` (this configuration leaves it out, which is no word
 * about the cluster), or `open`. `why` and `cure` are for people.
 */
export interface Absence {
  readonly certainty: "proved" | "assumed" | "notConfigured" | "open";
  readonly why: string;
  /** What settles an open one. */
  readonly cure?: string;
}

/** What the GKE API says of one cluster; `refused` and `silent` prove nothing, whatever a list has said. */
export type Answer = Cluster | "absent" | "refused" | "silent";

export function judgeAbsence(departed: Departed, answer: Answer, spec: MeshSpec): Absence {
  const { ref, clusterId } = departed;
  if (ref === undefined) {
    return open(
      "nothing tells which cluster its credentials were made for",
      `if it is gone for good, delete the Secrets in namespace ${ISTIO_NAMESPACE} that name ${clusterId}`,
    );
  }
  const isConfigured = spec.projects.includes(ref.project);
  switch (answer) {
    case "absent":
      return { certainty: "proved", why: "it is deleted" };
    case "refused":
      return isConfigured
        ? open("Meshjoin may not read it", "let Meshjoin read the cluster (container.clusters.get)")
        : ABSENCES.ProjectNotConfigured;
    case "silent":
      return open("the GKE API does not answer", "nothing, if it passes: the next full run asks again");
    default:
      return judgeCluster(departed, answer, spec);
  }
}

function judgeCluster({ gkeId }: Departed, cluster: Cluster, spec: MeshSpec): Absence {
  if (cluster.id !== gkeId) return { certainty: "proved", why: "another cluster has its name now" };
  if (cluster.status === "STOPPING") return BEING_DELETED;
  const reason = nonMemberReason(cluster, spec);
  return reason === undefined
    ? open("it is a member that the list does not hold yet", "nothing: the next full run looks again")
    : ABSENCES[reason];
}

function open(why: string, cure: string): Absence {
  return { certainty: "open", why, cure };
}

function notConfigured(why: string): Absence {
  return { certainty: "notConfigured", why };
}

const BEING_DELETED: Absence = { certainty: "proved", why: "it is being deleted" };

/** What follows from it that the very cluster is no member now. A status says how a cluster is, not whether it is to leave. */
const ABSENCES: Readonly<Record<NonMemberReason, Absence>> = {
  ProjectNotConfigured: notConfigured("its project is not in MESHJOIN_PROJECTS"),
  NotAllowed: notConfigured("MESHJOIN_ALLOW does not name it"),
  NotLabelled: { certainty: "assumed", why: "it does not carry the mesh's label any more" },
  OtherMesh: { certainty: "assumed", why: "it is labelled for another mesh" },
  Provisioning: open("GKE is still making it", "nothing: the next full run looks again"),
  Stopping: BEING_DELETED,
  Failed: open(
    "GKE calls it failed",
    "mend the cluster or delete it: gcloud container clusters describe says what is wrong",
  ),
  StatusUnknown: open(
    "GKE gives it a status that this version of Meshjoin does not know",
    "see it with gcloud container clusters describe; to take the cluster out, take its mesh label off or delete it",
  ),
};

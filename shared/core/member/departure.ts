import type { Fault } from "../answers/error-finding.ts";
import type { Cluster, ClusterRef } from "../cluster/cluster.ts";
import { type NonMemberReason, nonMemberReason } from "../cluster/membership.ts";
import { isConfigured, notConfigured } from "../cluster/sources.ts";
import { clusterId, ISTIO_NAMESPACE, parseClusterResource } from "../names.ts";
import type { MeshSpec } from "../spec.ts";
import { isReachable, type Member } from "./observation.ts";

/** A cluster that members still hold credentials of, or for, though it is none of them any more. */
export interface Departed {
  readonly clusterId: string;
  /** Undefined where nothing on the members tells any more. */
  readonly ref: ClusterRef | undefined;
}

/**
 * Whoever the members' own remote and reader Secrets speak of and is not among the members, by cluster ID. One that was
 * recreated under its name is among them; its pairs are made anew.
 */
export function departedFrom(members: readonly Member[]): Departed[] {
  const present = new Set(members.map(({ clusterId: id }) => id));
  const found = new Map<string, Departed>();
  const note = (id: string, resource: string | undefined) => {
    if (id === "" || present.has(id)) return;
    found.set(id, { clusterId: id, ref: found.get(id)?.ref ?? refOf(id, resource) });
  };
  for (const { state } of members.filter(isReachable)) {
    for (const { owner, targetId, targetResource } of state.remoteSecrets)
      if (owner === "ours") note(targetId, targetResource);
    for (const { owner, readerId, readerResource } of state.readerSecrets)
      if (owner === "ours") note(readerId, readerResource);
  }
  return [...found.values()].toSorted((a, b) => (a.clusterId < b.clusterId ? -1 : 1));
}

/** An annotation that was edited names another cluster, and what is said of that one proves nothing of this one. */
function refOf(id: string, resource: string | undefined): ClusterRef | undefined {
  const ref = parseClusterResource(resource ?? "");
  return ref !== undefined && clusterId(ref) === id ? ref : undefined;
}

/**
 * How sure it is that a cluster is no member any more (design rule 8): `proved` (STOPPING, or gone), `assumed` (on the word
 * of its label), `notConfigured` (this configuration leaves it out, which is no word about the cluster), or `open`. `why` and
 * `cure` are for people.
 */
export interface Absence {
  readonly certainty: "proved" | "assumed" | "notConfigured" | "open";
  /** It is taken out, and may run on with what it holds. */
  readonly runsOn: boolean;
  readonly why: string;
  /** What settles an open one. */
  readonly cure?: string;
}

/** What its source says of one cluster; `silent`, and a refusal, prove nothing, whatever a list has said. */
export type SourceAnswer = Cluster | "silent" | Gone | Refusal;

interface Gone {
  readonly gone: Pick<Absence, "why" | "runsOn">;
}

interface Refusal {
  readonly refused: Pick<Fault, "message" | "cure">;
}

export function judgeAbsence(
  { ref, clusterId: id }: Departed,
  answer: SourceAnswer,
  spec: MeshSpec,
): Absence {
  if (ref === undefined) {
    return open(
      "nothing tells which cluster its credentials were made for",
      `if it is gone for good, delete the Secrets in namespace ${ISTIO_NAMESPACE} that name ${id}`,
    );
  }
  if (answer === "silent") {
    return open("its source does not answer", "nothing, if it passes: the next full run asks again");
  }
  if ("gone" in answer) return { certainty: "proved", ...answer.gone };
  if (!("refused" in answer)) return judgeCluster(answer, spec);
  const { message, cure = "let Meshjoin read the cluster" } = answer.refused;
  return isConfigured(ref, spec)
    ? open(`Meshjoin may not read it: ${message}`, cure)
    : leftOut(notConfigured(ref, spec).why);
}

/** The credentials may be of an earlier cluster of its name: if this one is a member, they are made anew and not removed. */
function judgeCluster(cluster: Cluster, spec: MeshSpec): Absence {
  if (cluster.status === "STOPPING") return BEING_DELETED;
  const reason = nonMemberReason(cluster, spec);
  if (reason === undefined)
    return open("it is a member that the list does not hold yet", "nothing: the next full run looks again");
  return reason === "ProjectNotConfigured" ? leftOut(notConfigured(cluster.ref, spec).why) : ABSENCES[reason];
}

function assumed(why: string): Absence {
  return { certainty: "assumed", runsOn: true, why };
}

function open(why: string, cure: string): Absence {
  return { certainty: "open", runsOn: false, why, cure };
}

function leftOut(why: string): Absence {
  return { certainty: "notConfigured", runsOn: true, why };
}

const BEING_DELETED: Absence = { certainty: "proved", runsOn: false, why: "it is being deleted" };

/** What follows from it that the cluster is no member now. A status says how a cluster is, not whether it is to leave. */
const ABSENCES: Readonly<Record<Exclude<NonMemberReason, "ProjectNotConfigured">, Absence>> = {
  NotAllowed: leftOut("MESHJOIN_ALLOW does not name it"),
  NotLabelled: assumed("it does not carry the mesh's label any more"),
  OtherMesh: assumed("it is labelled for another mesh"),
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

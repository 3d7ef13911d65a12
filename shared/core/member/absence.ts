import type { Fault } from "../answers/error-finding.ts";
import type { Cluster, ClusterRef } from "../cluster/cluster.ts";
import { describeCommand, kubectlOn, typedName, updateClusterCommand } from "../cluster/gcloud.ts";
import { type NonMemberReason, nonMemberReason } from "../cluster/membership.ts";
import { isConfigured, notConfigured } from "../cluster/sources.ts";
import { clusterId, ISTIO_NAMESPACE, parseClusterResource } from "../names.ts";
import type { MeshSpec } from "../spec.ts";
import { UNKNOWN_TIME } from "../time.ts";
import { isReachable, type Member } from "./observation.ts";

/** A cluster that is no member any more, while members hold credentials of it or for it. */
export interface Departed {
  readonly clusterId: string;
  /** Undefined where nothing on the members names the cluster in full. */
  readonly ref: ClusterRef | undefined;
  /**
   * When a full run first saw it: the newest note that the members hold. Undefined while a Secret that names
   * it has none, because the other notes may be of an earlier loss.
   */
  readonly lostSince?: Date | undefined;
  /** The Secrets that name a cluster without a `ref`, by the member that holds them. */
  readonly secrets?: readonly HeldSecret[];
  /** Only the records of members tell of it: none holds credentials of it or for it. */
  readonly isUnpaired?: true;
}

interface HeldSecret {
  /** Of the member. */
  readonly ref: ClusterRef;
  readonly name: string;
}

/**
 * The clusters that Meshjoin's Secrets on the members name (remote secrets, reader Secrets, notes of drains),
 * or else their records, and that are no members; by cluster ID. A cluster that was recreated under its name
 * is a member; Meshjoin makes its pairs anew.
 */
export function departedFrom(members: readonly Member[]): Departed[] {
  const present = new Set(members.map(({ clusterId: id }) => id));
  const named = namedBy(members);
  const known = new Set([...present, ...named.map(({ clusterId: id }) => id)]);
  return [...named, ...unpairedWith(members, known)].filter(({ clusterId: id }) => !present.has(id));
}

/** Of a cluster that several records name, the newest time counts, as of Secrets. */
function unpairedWith(members: readonly Member[], known: ReadonlySet<string>): Departed[] {
  const unpaired = new Map<string, Departed>();
  for (const { clusterId: id, resource, lostSince } of members
    .filter(isReachable)
    .flatMap(({ state: { record } }) => record?.unpaired ?? [])) {
    const ref = refOf(id, resource);
    if (known.has(id) || ref === undefined) continue;
    const since = lostSince === undefined ? undefined : new Date(lostSince);
    const before = unpaired.get(id);
    unpaired.set(id, {
      clusterId: id,
      ref,
      lostSince: before === undefined ? since : newestOfBoth(before.lostSince, since),
      isUnpaired: true,
    });
  }
  return [...unpaired.values()];
}

/** Every cluster that Meshjoin's Secrets on these members name, by cluster ID. */
export function namedBy(members: readonly Member[]): Departed[] {
  const clusters = new Map<string, Departed>();
  const note = (id: string, resource: string | undefined, lostSince: Date | undefined, held: HeldSecret) => {
    if (id === "") return;
    const known = clusters.get(id);
    const ref = known?.ref ?? refOf(id, resource);
    clusters.set(id, {
      clusterId: id,
      ref,
      lostSince: known === undefined ? lostSince : newestOfBoth(known.lostSince, lostSince),
      ...(ref === undefined ? { secrets: [...(known?.secrets ?? []), held] } : {}),
    });
  };
  for (const { cluster, state } of members.filter(isReachable)) {
    for (const { owner, targetId, targetResource, lostSince, name } of state.remoteSecrets)
      if (owner === "ours") note(targetId, targetResource, lostSince, { ref: cluster.ref, name });
    for (const { owner, readerId, readerResource, lostSince, name } of state.readerSecrets)
      if (owner === "ours") note(readerId, readerResource, lostSince, { ref: cluster.ref, name });
  }
  // A note of a drain gives no access, so it alone needs no grace; where a member was not read, that one may
  // hold credentials of the cluster, and since when it is lost.
  const since = members.every(isReachable) ? UNKNOWN_TIME : undefined;
  const withCredentials = new Set(clusters.keys());
  for (const { cluster, state } of members.filter(isReachable)) {
    for (const { owner, of, resource, name } of state.drainCopies ?? [])
      if (owner === "ours" && !withCredentials.has(of)) note(of, resource, since, { ref: cluster.ref, name });
  }
  return [...clusters.values()].toSorted((a, b) => (a.clusterId < b.clusterId ? -1 : 1));
}

/** An older note may be of an earlier loss, on a member that could not be reached when it was over. */
function newestOfBoth(a: Date | undefined, b: Date | undefined): Date | undefined {
  if (a === undefined || b === undefined) return undefined;
  return a > b ? a : b;
}

/** Undefined where an edited annotation names another cluster: an answer about that proves nothing here. */
function refOf(id: string, resource: string | undefined): ClusterRef | undefined {
  const ref = parseClusterResource(resource ?? "");
  return ref !== undefined && clusterId(ref) === id ? ref : undefined;
}

/**
 * How sure Meshjoin is that a cluster has left (design rule 8): `proved` (STOPPING, or gone), `assumed` (its
 * label is gone), `notConfigured` (this configuration leaves it out, which says nothing about the cluster),
 * or `open`. `why` and `cure` are for people.
 */
export interface Absence {
  readonly certainty: "proved" | "assumed" | "notConfigured" | "open";
  /** The cluster may run on, with all credentials that it holds. */
  readonly runsOn: boolean;
  readonly why: string;
  /** How a person settles an open one, or takes back a cluster whose absence is assumed. */
  readonly cure?: string;
}

/** A source's answer about a cluster. `silent` and a refusal prove nothing, even if a list lacks it. */
export type SourceAnswer = Cluster | "silent" | Gone | Refusal;

interface Gone {
  readonly gone: Pick<Absence, "why" | "runsOn">;
}

interface Refusal {
  readonly refused: Pick<Fault, "message" | "cure">;
}

export function judgeAbsence({ ref, secrets = [] }: Departed, answer: SourceAnswer, spec: MeshSpec): Absence {
  if (ref === undefined) {
    return open(
      "nothing tells which cluster its credentials were made for",
      `if it is gone for good, delete what names it: ${deleteCommands(secrets).join("; and: ")}`,
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

/** One for each member that holds any. */
function deleteCommands(secrets: readonly HeldSecret[]): string[] {
  const byMember = Map.groupBy(secrets, ({ ref }) => kubectlOn(ref));
  return [...byMember].map(
    ([kubectl, held]) =>
      `${kubectl} -n ${ISTIO_NAMESPACE} delete secret ${held.map(({ name }) => typedName(name)).join(" ")}`,
  );
}

/** The credentials may be of an earlier cluster of the name. Meshjoin replaces those of a member. */
function judgeCluster(cluster: Cluster, spec: MeshSpec): Absence {
  if (cluster.status === "STOPPING") return BEING_DELETED;
  const reason = nonMemberReason(cluster, spec);
  if (reason === undefined)
    return open("it is a member that the list lacks so far", "nothing: the next full run looks again");
  if (reason === "ProjectNotConfigured") return leftOut(notConfigured(cluster.ref, spec).why);
  if (reason === "NotLabelled") {
    const why = `it does not carry the label ${spec.meshLabel} any more`;
    return assumed(why, `meshjoin label ${clusterId(cluster.ref)}`);
  }
  if (reason === "OtherMesh") {
    const why = `its label ${spec.meshLabel} is ${cluster.labels[spec.meshLabel]} now`;
    return assumed(why, labelCommand(cluster, spec));
  }
  return ABSENCES[reason](cluster.ref);
}

/** `meshjoin label` does not overwrite the label of another mesh, and gcloud sets all labels anew. */
function labelCommand({ ref, labels }: Cluster, { meshLabel, meshId }: MeshSpec): string {
  const all = Object.entries({ ...labels, [meshLabel]: meshId }).map(([key, value]) => `${key}=${value}`);
  return updateClusterCommand(ref, `--update-labels=${all.join(",")}`);
}

function assumed(why: string, cure: string): Absence {
  return { certainty: "assumed", runsOn: true, why, cure };
}

function open(why: string, cure: string): Absence {
  return { certainty: "open", runsOn: false, why, cure };
}

function leftOut(why: string): Absence {
  return { certainty: "notConfigured", runsOn: true, why };
}

const BEING_DELETED: Absence = { certainty: "proved", runsOn: false, why: "it is being deleted" };

/** How each reason counts as a departure. A status describes a fault, never a wish to leave. */
const ABSENCES: Readonly<
  Record<
    Exclude<NonMemberReason, "ProjectNotConfigured" | "NotLabelled" | "OtherMesh">,
    (ref: ClusterRef) => Absence
  >
> = {
  NotAllowed: () => leftOut("MESHJOIN_ALLOW does not name it"),
  Provisioning: () => open("GKE is still making it", "nothing: the next full run looks again"),
  Stopping: () => BEING_DELETED,
  Failed: (ref) =>
    open("GKE calls it failed", `mend the cluster or delete it; its fault: ${describeCommand(ref)}`),
  StatusUnknown: (ref) =>
    open(
      "GKE gives it a status that this version of Meshjoin does not know",
      `to take it out: meshjoin leave ${clusterId(ref)}; its status: ${describeCommand(ref)}`,
    ),
};

import type { ClusterRef } from "../core/cluster/cluster.ts";
import { DRAIN_STATES, type DrainNote, reasonFault } from "../core/member/drain.ts";
import type { DrainCopy } from "../core/member/observation.ts";
import { annotation, clusterResource, DRAIN_LABEL, drainNoteName, ISTIO_NAMESPACE } from "../core/names.ts";
import type { KubernetesObject } from "../ports/kubernetes-object.ts";
import type { ObjectRef } from "../ports/member-api.ts";
import { dateAnnotation } from "./member-state.ts";
import { ownerOf, ownershipLabels } from "./ownership.ts";

/** The cluster that a note is about. */
export interface NotedCluster {
  readonly clusterId: string;
  /** GKE's `Cluster.id`. */
  readonly gkeId: string;
  readonly ref: ClusterRef;
}

/**
 * A copy of a member's drain: an empty Secret in Istio's namespace, because every look lists the Secrets
 * there, so that the note costs no request.
 */
export function drainNoteObject(
  meshId: string,
  { clusterId, gkeId, ref }: NotedCluster,
  { state, since, by, reason }: DrainNote,
): KubernetesObject {
  const { apiVersion, kind, ...metadata } = drainNoteRef(clusterId);
  return {
    apiVersion,
    kind,
    metadata: {
      ...metadata,
      labels: { ...ownershipLabels(meshId), [DRAIN_LABEL]: clusterId },
      annotations: {
        [annotation("cluster-id")]: gkeId,
        [annotation("cluster-resource")]: clusterResource(ref),
        [annotation("drain-state")]: state,
        [annotation("drain-since")]: since.toISOString(),
        [annotation("drain-by")]: by,
        ...(reason === "" ? {} : { [annotation("drain-reason")]: reason }),
      },
    },
    type: "Opaque",
  };
}

export function drainNoteRef(clusterId: string): ObjectRef {
  return { apiVersion: "v1", kind: "Secret", namespace: ISTIO_NAMESPACE, name: drainNoteName(clusterId) };
}

/** Those among the Secrets of Istio's namespace, and whatever has the name of one. */
export function drainCopies(secrets: readonly KubernetesObject[], meshId: string): DrainCopy[] {
  return secrets.flatMap((secret) => drainCopy(secret, meshId) ?? []);
}

/** Undefined for a Secret that has neither the label nor the name of a note. */
export function drainCopy({ metadata }: KubernetesObject, meshId: string): DrainCopy | undefined {
  const { name, labels, annotations, uid = "", resourceVersion = "" } = metadata;
  const prefix = drainNoteName("");
  const of = name.startsWith(prefix) ? name.slice(prefix.length) : undefined;
  if (of === undefined) return undefined;
  const owner = ownerOf(metadata, meshId);
  return {
    name,
    of,
    gkeId: annotations?.[annotation("cluster-id")],
    resource: annotations?.[annotation("cluster-resource")],
    owner,
    uid,
    resourceVersion,
    note: owner === "ours" && labels?.[DRAIN_LABEL] === of ? noteOf(metadata) : undefined,
    answersSince: dateAnnotation(metadata, "answers-since"),
  };
}

function noteOf(metadata: KubernetesObject["metadata"]): DrainNote | undefined {
  const text = (key: string) => metadata.annotations?.[annotation(key)] ?? "";
  const state = DRAIN_STATES.find((each) => each === text("drain-state"));
  const since = dateAnnotation(metadata, "drain-since");
  const [by, reason] = [text("drain-by"), text("drain-reason")];
  const isReadable = by !== "" && [by, reason].every((each) => reasonFault(each) === undefined);
  if (state === undefined || since === undefined || !isReadable || !canBeFollowed(since)) return undefined;
  return { state, since, by, reason };
}

/** After one at the end of all dates no newer note could be written, and the register would stand still. */
function canBeFollowed(since: Date): boolean {
  const year = since.getUTCFullYear();
  return year >= 0 && year < 9999;
}

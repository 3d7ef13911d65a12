import type { ProbeMark } from "../../core/member/observation.ts";
import { annotation, ISTIO_NAMESPACE } from "../../core/names.ts";
import type { KubernetesObject } from "../../ports/kubernetes-object.ts";
import type { ObjectRef } from "../../ports/member-api.ts";
import { ownerOf, ownershipLabels } from "../ownership.ts";
import { untilNote } from "./object.ts";

const MARK = "meshjoin-probe";
const MARK_NAME = /^meshjoin-probe(?:-[0-9a-z]+)?$/;

/**
 * Says that somebody wants the probe of the cluster, and until when: an empty Secret in Istio's namespace,
 * because every look lists the Secrets there. It is written before anything of the probe and deleted after
 * all of it. Each check has one of its own (`user`), so that none ends what another still needs.
 */
export function markObject(
  meshId: string,
  { user, until }: { readonly user: string | undefined; readonly until: Date | undefined },
): KubernetesObject {
  const { apiVersion, kind, ...metadata } = markRef(user === undefined ? MARK : `${MARK}-${user}`);
  return {
    apiVersion,
    kind,
    metadata: { ...metadata, labels: ownershipLabels(meshId), ...untilNote(until) },
    type: "Opaque",
  };
}

export function markRef(name: string): ObjectRef {
  return { apiVersion: "v1", kind: "Secret", namespace: ISTIO_NAMESPACE, name };
}

/** Those among the Secrets of Istio's namespace. A text that is no time counts as wanted without end. */
export function probeMarks(secrets: readonly KubernetesObject[], meshId: string): ProbeMark[] {
  return secrets.flatMap(({ metadata }) => {
    const { name, uid = "", annotations } = metadata;
    if (!MARK_NAME.test(name) || ownerOf(metadata, meshId) !== "ours") return [];
    const time = Date.parse(annotations?.[annotation("probe-until")] ?? "");
    return [{ name, uid, until: Number.isNaN(time) ? undefined : new Date(time) }];
  });
}

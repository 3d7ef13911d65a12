import { fnv1a } from "../../core/hash.ts";
import type { ProbeMark } from "../../core/member/observation.ts";
import { annotation, ISTIO_NAMESPACE } from "../../core/names.ts";
import { PROBE_MARK } from "../../core/probe/wire.ts";
import type { KubernetesObject } from "../../ports/kubernetes-object.ts";
import type { ObjectRef } from "../../ports/member-api.ts";
import { ownerOf, ownershipLabels } from "../ownership.ts";
import { type ProbeSettings, untilNote } from "./object.ts";
import { probeObjects } from "./objects.ts";

const MARK_NAME = /^meshjoin-probe(?:-[0-9a-z]+)?$/;
const SETTINGS_NOTE = annotation("probe-settings");

export interface Mark {
  /** Names a check; undefined for the configuration. */
  readonly user: string | undefined;
  readonly until: Date | undefined;
  /** Written once all of the probe is. */
  readonly settings?: string | undefined;
}

/**
 * Says that somebody wants the probe of the cluster, and until when: an empty Secret in Istio's namespace,
 * because every look lists the Secrets there. It is written before anything of the probe and deleted after
 * all of it. Each check has one of its own (`user`), so that none ends what another still needs.
 */
export function markObject(meshId: string, { user, until, settings }: Mark): KubernetesObject {
  const { apiVersion, kind, ...metadata } = markRef(
    user === undefined ? PROBE_MARK : `${PROBE_MARK}-${user}`,
  );
  const { annotations = {} } = untilNote(until);
  const all = { ...annotations, ...(settings === undefined ? {} : { [SETTINGS_NOTE]: settings }) };
  return {
    apiVersion,
    kind,
    metadata: {
      ...metadata,
      labels: ownershipLabels(meshId),
      ...(Object.keys(all).length === 0 ? {} : { annotations: all }),
    },
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
    const until = Number.isNaN(time) ? undefined : new Date(time);
    const settings = annotations?.[SETTINGS_NOTE];
    return [{ name, uid, until, ...(settings === undefined ? {} : { settings }) }];
  });
}

/** Another one where a probe with these settings would be written otherwise. */
export function probeSettingsHash(settings: Omit<ProbeSettings, "until">): string {
  const { clusterId, targets } = settings;
  // One route stands for the form of all.
  const objects = probeObjects({ ...settings, targets: [clusterId] });
  return fnv1a(JSON.stringify([targets, objects]));
}

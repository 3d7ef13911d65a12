import { annotation } from "../../core/names.ts";
import { PROBE_APP, PROBE_NAMESPACE } from "../../core/probe/wire.ts";
import type { KubernetesObject } from "../../ports/kubernetes-object.ts";
import { ownershipLabels } from "../ownership.ts";

export interface ProbeSettings {
  readonly meshId: string;
  /** The member that the probe is in. */
  readonly clusterId: string;
  /** The members that it can ask, itself included. */
  readonly targets: readonly string[];
  /** The tag of Istio's images: with another one the pod starts anew, as a workload's should. */
  readonly istio: string;
  /** When nobody wants it any more; undefined while the configuration wants it. */
  readonly until?: Date | undefined;
}

/** The label by which Service and traffic rules select the pods. */
export const PROBE_LABELS = { app: PROBE_APP };

interface Named extends Pick<KubernetesObject, "apiVersion" | "kind"> {
  readonly name: string;
  readonly annotations?: Readonly<Record<string, string>>;
}

export function probeObject(
  { meshId, until }: ProbeSettings,
  { apiVersion, kind, name, annotations = {} }: Named,
  rest: Readonly<Record<string, unknown>>,
): KubernetesObject {
  const { annotations: own = {} } = untilNote(until);
  const all = { ...annotations, ...own };
  return {
    apiVersion,
    kind,
    metadata: {
      name,
      namespace: PROBE_NAMESPACE,
      labels: ownershipLabels(meshId),
      ...(Object.keys(all).length === 0 ? {} : { annotations: all }),
    },
    ...rest,
  };
}

/** Annotation `probe-until`, where the probe is wanted for a time alone. */
export function untilNote(until: Date | undefined): { readonly annotations?: Record<string, string> } {
  return until === undefined ? {} : { annotations: { [annotation("probe-until")]: until.toISOString() } };
}

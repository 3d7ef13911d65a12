import type { Cluster } from "../../shared/core/cluster.ts";
import { clusterId } from "../../shared/core/names.ts";
import type { MeshSpec } from "../../shared/core/spec.ts";
import { RefusedError } from "../../shared/errors.ts";
import type { LabelChange } from "../../shared/ports.ts";

/** As the cluster is once the change is made; a list may tell the old for a while. */
export function labelled(cluster: Cluster, { key, value }: LabelChange): Cluster {
  const { [key]: _, ...others } = cluster.labels;
  return { ...cluster, labels: value === undefined ? others : { ...others, [key]: value } };
}

/** A cluster of another mesh is not ours to take. */
export function otherMesh(cluster: Cluster, { meshLabel, meshId }: MeshSpec): RefusedError | undefined {
  const label = cluster.labels[meshLabel];
  if (label === undefined || label === meshId) return undefined;
  return new RefusedError(
    `${clusterId(cluster.ref)} belongs to mesh ${label} (label ${meshLabel}); take it out of that one first, with MESHJOIN_MESH_ID=${label}`,
    { code: "OtherMesh" },
  );
}

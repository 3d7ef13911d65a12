import type { Owner } from "../core/member/observation.ts";
import { MANAGED_BY_LABEL, MESH_LABEL } from "../core/names.ts";
import type { ObjectMeta } from "../ports/kubernetes-object.ts";

const MANAGER = "meshjoin";

/** Meshjoin never overwrites or deletes an object without these labels (design rule 6). */
export function ownershipLabels(meshId: string): Record<string, string> {
  return { [MANAGED_BY_LABEL]: MANAGER, [MESH_LABEL]: meshId };
}

export function ownerOf(metadata: ObjectMeta, meshId: string): Owner {
  const mesh = metadata.labels?.[MESH_LABEL];
  if (metadata.labels?.[MANAGED_BY_LABEL] !== MANAGER || mesh === undefined) return "foreign";
  return mesh === meshId ? "ours" : "otherMesh";
}

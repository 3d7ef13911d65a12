import { resourceOf } from "../../core/kubernetes-requests.ts";
import type { ObjectRef } from "../../ports/member-api.ts";

export function collectionPath(ref: Omit<ObjectRef, "name">): string {
  const { plural, namespaced } = resourceOf(ref.kind);
  const root = ref.apiVersion.includes("/") ? `/apis/${ref.apiVersion}` : `/api/${ref.apiVersion}`;
  const scope =
    namespaced && ref.namespace !== undefined ? `/namespaces/${encodeURIComponent(ref.namespace)}` : "";
  return `${root}${scope}/${plural}`;
}

export function objectPath(ref: ObjectRef): string {
  return `${collectionPath(ref)}/${encodeURIComponent(ref.name)}`;
}

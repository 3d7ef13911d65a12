import type { DefinitionState } from "../core/member/observation.ts";
import { annotation } from "../core/names.ts";
import type { KubernetesObject, ObjectMeta } from "../ports/kubernetes-object.ts";
import type { ObjectQuery } from "../ports/member-api.ts";
import { ownerOf } from "./ownership.ts";

/** Without the schemas, which are large: Meshjoin compares versions only. */
export const CRDS: ObjectQuery = {
  apiVersion: "apiextensions.k8s.io/v1",
  kind: "CustomResourceDefinition",
  metadataOnly: true,
};

/** Absent or older ones only: other tools may use a CRD, so it never goes back to an older version. */
export function dueCrds<T extends Named>(
  existing: readonly DefinitionState[],
  crds: readonly T[],
  istioVersion: string,
): T[] {
  const versions = new Map(existing.map(({ name, version }) => [name, version]));
  return crds.filter(({ metadata }) => {
    const version = versions.get(metadata.name);
    return version === undefined || isOlder(version, istioVersion);
  });
}

interface Named {
  readonly metadata: Pick<ObjectMeta, "name">;
}

export function definitionState(crd: KubernetesObject, meshId: string): DefinitionState {
  return { name: crd.metadata.name, version: versionOf(crd, meshId) };
}

function versionOf({ metadata }: KubernetesObject, meshId: string): string {
  const { annotations = {}, labels = {} } = metadata;
  const ours = ownerOf(metadata, meshId) === "foreign" ? undefined : annotations[annotation("istio-version")];
  // Istio's older charts have this label and no version (`crd-all.gen.yaml`).
  const early = labels["release"] === "istio" ? "0.0.0" : "";
  return ours ?? labels["app.kubernetes.io/version"] ?? early;
}

/** False for an unknown version: Meshjoin's may not be newer. */
function isOlder(version: string, reference: string): boolean {
  const [mine, other] = [parseVersion(version), parseVersion(reference)];
  if (mine === undefined || other === undefined) return false;
  const index = mine.findIndex((part, position) => part !== other[position]);
  return index !== -1 && (mine[index] ?? 0) < (other[index] ?? 0);
}

function parseVersion(version: string): number[] | undefined {
  const parts = /^v?(\d+)\.(\d+)\.(\d+)/.exec(version);
  return parts === null ? undefined : parts.slice(1).map(Number);
}

import type { DefinitionState } from "../core/member/observation.ts";
import { annotation } from "../core/names.ts";
import type { KubernetesObject, ObjectMeta } from "../ports/kubernetes-object.ts";
import type { ObjectQuery } from "../ports/member-api.ts";
import { ownerOf } from "./ownership.ts";

/** Whose versions are compared; their schemas are large, and stay where they are. */
export const CRDS: ObjectQuery = {
  apiVersion: "apiextensions.k8s.io/v1",
  kind: "CustomResourceDefinition",
  metadataOnly: true,
};

/** Absent or older ones only: a CRD is shared with whoever else uses Istio's API in the cluster, and never goes back. */
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

/** What is seen of a definition by its metadata. */
export function definitionState(crd: KubernetesObject, meshId: string): DefinitionState {
  return { name: crd.metadata.name, version: versionOf(crd, meshId) };
}

function versionOf({ metadata }: KubernetesObject, meshId: string): string {
  const { annotations = {}, labels = {} } = metadata;
  const ours = ownerOf(metadata, meshId) === "foreign" ? undefined : annotations[annotation("istio-version")];
  // Before Istio's charts told their version, this is what they called themselves (`crd-all.gen.yaml`).
  const early = labels["release"] === "istio" ? "0.0.0" : "";
  return ours ?? labels["app.kubernetes.io/version"] ?? early;
}

/** An unknown version is left alone: nothing says that ours is newer. */
function isOlder(version: string, than: string): boolean {
  const [mine, other] = [parseVersion(version), parseVersion(than)];
  if (mine === undefined || other === undefined) return false;
  const index = mine.findIndex((part, position) => part !== other[position]);
  return index !== -1 && (mine[index] ?? 0) < (other[index] ?? 0);
}

function parseVersion(version: string): number[] | undefined {
  const parts = /^v?(\d+)\.(\d+)\.(\d+)/.exec(version);
  return parts === null ? undefined : parts.slice(1).map(Number);
}

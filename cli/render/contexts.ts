import type { ClusterRef } from "../../shared/core/cluster/cluster.ts";
import { contextCommand, kubectlOn } from "../../shared/core/cluster/gcloud.ts";

const CONTEXTS_MAX = 3;
const KUBECTL = /kubectl --context gke_(?<project>[^_\s]+)_(?<location>[^_\s]+)_(?<name>[a-z0-9-]+)/g;

/** For a person who pastes a cure: the commands that make the contexts in it. Empty where none has one. */
export function renderContexts(
  cures: readonly string[],
  isOverDns: (ref: ClusterRef) => boolean | undefined = () => undefined,
): string {
  const refs = new Map(cures.flatMap(clustersIn).map((ref) => [kubectlOn(ref), ref]));
  if (refs.size === 0) return "";
  const clusters = [...refs.values()];
  const shown = clusters.slice(0, CONTEXTS_MAX);
  const isKnown = shown.every((ref) => isOverDns(ref) !== undefined);
  const more = clusters.length - shown.length;
  return [
    `If kubectl does not know such a context${isKnown ? "" : " (add --dns-endpoint where only that one answers)"}:`,
    ...shown.map((ref) => `  ${contextCommand(ref, isOverDns(ref) ?? false)}`),
    ...(more > 0 ? [`  and the same for ${more} more`] : []),
  ].join("\n");
}

function clustersIn(cure: string): ClusterRef[] {
  return [...cure.matchAll(KUBECTL)].map(({ groups: { project = "", location = "", name = "" } = {} }) => ({
    project,
    location,
    name,
  }));
}

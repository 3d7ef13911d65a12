import type { Place } from "./sources.ts";

interface Named extends Place {
  readonly clusterId: string;
}

const FORMS: readonly ((cluster: Named) => string)[] = [
  ({ name }) => name,
  ({ location, name }) => `${location}/${name}`,
  ({ project, location, name }) => `${project}/${location}/${name}`,
];

/** For each cluster ID the shortest form of the cluster's name that is unique among the given ones. */
export function shortNames(clusters: readonly Named[]): ReadonlyMap<string, string> {
  const names = new Map<string, string>();
  let rest = clusters;
  for (const form of FORMS) {
    const groups = Map.groupBy(rest, form);
    for (const [name, [first, ...others]] of groups) {
      if (first !== undefined && others.length === 0) names.set(first.clusterId, name);
    }
    rest = rest.filter(({ clusterId }) => !names.has(clusterId));
  }
  for (const { clusterId } of rest) names.set(clusterId, clusterId);
  return names;
}

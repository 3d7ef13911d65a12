import type { MemberStatus } from "../../../../shared/core/answers/status.ts";

const FORMS: readonly ((member: MemberStatus) => string)[] = [
  ({ name }) => name,
  ({ location, name }) => `${location}/${name}`,
  ({ project, location, name }) => `${project}/${location}/${name}`,
];

/** For each cluster ID the shortest form of the cluster's name that is unique among the members. */
export function shortNames(members: readonly MemberStatus[]): ReadonlyMap<string, string> {
  const names = new Map<string, string>();
  let rest = members;
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

/** At most `length` characters, with an ellipsis for the rest: in drawings a text cannot wrap. */
export function clipped(text: string, length: number): string {
  const characters = Array.from(text);
  return characters.length <= length ? text : `${characters.slice(0, length - 1).join("")}…`;
}

import type { MeshSpec } from "../spec.ts";
import type { Exposure } from "./gateway.ts";

/**
 * Whether pods of one network reach a gateway of another: on the internet always, an internal one where the
 * configuration says that the networks are connected.
 */
export function reaches(
  from: string,
  to: string,
  exposure: Exposure,
  { connectedNetworks }: Pick<MeshSpec, "connectedNetworks">,
): boolean {
  if (exposure === "external" || from === to) return true;
  return connectedNetworks.some((group) => group.includes(from) && group.includes(to));
}

/** The networks of the one group that would hold both: declaring the two connects these with each other. */
export function groupOfBoth(
  pair: readonly [string, string],
  { connectedNetworks }: Pick<MeshSpec, "connectedNetworks">,
): readonly string[] {
  const joined = connectedNetworks.filter((group) => pair.some((network) => group.includes(network)));
  return [...new Set([...pair, ...joined.flat()])].toSorted();
}

/** `MESHJOIN_CONNECTED_NETWORKS` as it is with the two declared: all of it, because it is set as a whole. */
export function declaring(
  pair: readonly [string, string],
  spec: Pick<MeshSpec, "connectedNetworks">,
): string {
  const group = groupOfBoth(pair, spec);
  const others = spec.connectedNetworks.filter((each) => !each.some((network) => group.includes(network)));
  return [...others, group].map((each) => each.join("+")).join(",");
}

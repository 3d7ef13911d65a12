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

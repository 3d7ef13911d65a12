import type { VpcRef } from "../core/cluster/cluster.ts";
import type { EffectiveFirewall } from "../core/firewall/firewall.ts";

/** The firewall of a VPC. Only `doctor` reads it, to find why requests do not pass; no trigger does. */
export interface Firewalls {
  /**
   * The rules in force in a network, with the regional policies of these regions. Fails with RefusedError
   * `PermissionDenied`, `NotFound`, `ServiceDisabled`.
   */
  effective(network: VpcRef, regions: readonly string[], signal?: AbortSignal): Promise<EffectiveFirewall>;
}

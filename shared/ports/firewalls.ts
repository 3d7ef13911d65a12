import type { VpcRef } from "../core/cluster/cluster.ts";
import type { EffectiveFirewall } from "../core/firewall/firewall.ts";

/** The firewall of a VPC. For a person who looks why requests do not pass: no trigger reads it. */
export interface Firewalls {
  /**
   * What is in force in a network, with the regional policies of these regions. Fails with RefusedError `PermissionDenied`,
   * `NotFound`, `ServiceDisabled`.
   */
  effective(network: VpcRef, regions: readonly string[], signal?: AbortSignal): Promise<EffectiveFirewall>;
}

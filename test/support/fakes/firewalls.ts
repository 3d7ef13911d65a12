import type { VpcRef } from "../../../shared/core/cluster/cluster.ts";
import type { FirewallRule, PolicyRule } from "../../../shared/core/firewall/firewall.ts";
import { networkName } from "../../../shared/core/names.ts";
import { type MeshjoinError, RefusedError, UnavailableError } from "../../../shared/errors.ts";
import type { Firewalls } from "../../../shared/ports/firewalls.ts";

/** The firewall of VPCs in memory. */
export interface FakeFirewalls extends Firewalls {
  put(network: VpcRef, rule: FirewallRule): void;
  putPolicy(network: VpcRef, rule: PolicyRule): void;
  clear(): void;
  /** From now on nothing of this project may be read. */
  refuse(project: string): void;
  /** The next call fails with this. */
  failNext(error: MeshjoinError): void;
}

interface Network {
  readonly rules: FirewallRule[];
  readonly policyRules: PolicyRule[];
}

/** Every project has a network `default`, and those that are put. */
export function fakeFirewalls(projects: readonly string[]): FakeFirewalls {
  const networks = new Map<string, Network>();
  const refused = new Set<string>();
  let failure: MeshjoinError | undefined;
  const find = (network: VpcRef): Network => {
    const name = networkName(network);
    const found = networks.get(name) ?? { rules: [], policyRules: [] };
    networks.set(name, found);
    return found;
  };
  return {
    async effective(network, regions, signal) {
      if (signal?.aborted === true) {
        throw new UnavailableError("the call was cancelled", { code: "Cancelled" });
      }
      const error = failure;
      failure = undefined;
      if (error !== undefined) throw error;
      const { project, name } = network;
      if (!projects.includes(project) || refused.has(project)) {
        throw new RefusedError(
          `permission compute.networks.getEffectiveFirewalls is missing on project ${project}`,
          { code: "PermissionDenied", cure: "grant a role that has it" },
        );
      }
      if (name !== "default" && !networks.has(networkName(network))) {
        throw new RefusedError(`project ${project} has no network ${name}`, {
          cure: "correct its name",
          code: "NotFound",
        });
      }
      const { rules, policyRules } = find(network);
      const here = policyRules.filter(({ region }) => region === undefined || regions.includes(region));
      return { rules: [...rules], policyRules: here };
    },
    put: (network, rule) => find(network).rules.push(rule),
    putPolicy: (network, rule) => find(network).policyRules.push(rule),
    clear: () => networks.clear(),
    refuse: (project) => refused.add(project),
    failNext(error) {
      failure = error;
    },
  };
}

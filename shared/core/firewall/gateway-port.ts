import { parseRange } from "../cluster/address-ranges.ts";
import type { Cluster } from "../cluster/cluster.ts";
import { GATEWAY_PORT } from "../network/gateway.ts";
import {
  ALLOWED,
  type ConnectionVerdict,
  decide,
  type EffectiveFirewall,
  mayDecide,
  rangesOf,
  rulesFor,
} from "./firewall.ts";
import { podRangesOf, ruleName } from "./firewall-rule.ts";

/** An internal gateway that has an address, with the firewall of its VPC. */
export interface GatewayBehind {
  readonly cluster: Cluster;
  readonly addresses: readonly string[];
  readonly firewall: EffectiveFirewall;
}

/** Pods that should reach it, with the firewall of their VPC. */
export interface PodsBefore {
  readonly cluster: Cluster;
  readonly firewall: EffectiveFirewall;
}

export interface GatewayVerdict extends ConnectionVerdict {
  /** Whose firewall decides: that of the pods, or that of the gateway. */
  readonly side: "EGRESS" | "INGRESS";
}

/**
 * Whether pods may connect to the gateway. Its load balancer passes packets on as they are, so a node of the
 * gateway gets them from the address of the pod, for the address of the load balancer. GKE makes a rule for
 * that with each load balancer, unless it may not, as in a Shared VPC, or was told not to.
 * https://cloud.google.com/kubernetes-engine/docs/concepts/firewall-rules#service-fws
 */
export function checkGatewayPort(from: PodsBefore, to: GatewayBehind): GatewayVerdict {
  const source = rangesOf(from.cluster);
  const addresses = to.addresses.map((address) => ({ address, range: parseRange(`${address}/32`) }));
  const known = addresses.flatMap(({ range }) => range ?? []);
  const unknown = addresses.flatMap(({ address, range }) => (range === undefined ? address : []));
  const ends = { from: from.cluster, to: to.cluster, source, target: { known, unknown } };
  const sides = [
    { side: "EGRESS", rules: rulesFor(from.cluster, from.firewall.rules), remote: known, own: source.known },
    { side: "INGRESS", rules: rulesFor(to.cluster, to.firewall.rules), remote: source.known, own: known },
  ] as const;
  const verdicts = sides.map(({ side, rules, remote, own }): GatewayVerdict => {
    const { policyRules } = side === "EGRESS" ? from.firewall : to.firewall;
    const policies = policyRules.filter((rule) => rule.direction === side && mayDecide(rule, ends));
    if (policies.length > 0) {
      const names = policies.map(({ name }) => name).join("; ");
      return { side, state: "unknown", why: `Meshjoin does not evaluate the firewall policy (${names})` };
    }
    return { side, ...decide(side, rules, remote, own, GATEWAY_PORT) };
  });
  const missing = verdicts.find(({ state }) => state === "missing");
  if (missing !== undefined) return missing;
  const names = [...source.unknown, ...unknown];
  if (names.length > 0)
    return { side: "INGRESS", state: "unknown", why: `the addresses of ${names.join(", ")} are not known` };
  return verdicts.find(({ state }) => state === "unknown") ?? { side: "INGRESS", ...ALLOWED };
}

/** Shell command for a rule that lets the pods through. */
export function gatewayRule(from: Cluster, to: GatewayBehind, side: GatewayVerdict["side"]): string {
  const { network } = side === "EGRESS" ? from : to.cluster;
  const ranges =
    side === "EGRESS"
      ? `--destination-ranges=${to.addresses.map((address) => `${address}/32`).join(",")}`
      : `--source-ranges=${podRangesOf([from]).join(",")}`;
  return (
    `gcloud compute firewall-rules create ${ruleName("meshjoin-gateway", from.ref.name)} --project=${network.project} ` +
    `--network=${network.name} --direction=${side} ${ranges} --allow=tcp:${GATEWAY_PORT}`
  );
}

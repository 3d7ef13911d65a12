import * as z from "zod/mini";
import type { EffectiveFirewall, FirewallRule, PolicyRule } from "../core/firewall/firewall.ts";

/**
 * The parts of the Compute API's answers that decide about a connection;
 * https://cloud.google.com/compute/docs/reference/rest/v1/networks/getEffectiveFirewalls
 */

const texts = z.prefault(z.array(z.string()), []);
const protocolList = z.prefault(z.array(z.object({ IPProtocol: z.string(), ports: texts })), []);
const direction = z.prefault(z.enum(["INGRESS", "EGRESS"]), "INGRESS");

const ruleSchema = z.object({
  name: z.string(),
  direction,
  priority: z.prefault(z.number(), 1000),
  disabled: z.optional(z.boolean()),
  allowed: protocolList,
  denied: protocolList,
  sourceRanges: texts,
  destinationRanges: texts,
  sourceTags: texts,
  sourceServiceAccounts: texts,
  targetTags: texts,
  targetServiceAccounts: texts,
});

const policyRuleSchema = z.object({
  action: z.string(),
  direction,
  priority: z.prefault(z.number(), 0),
  disabled: z.optional(z.boolean()),
  match: z.optional(
    z.object({
      srcIpRanges: texts,
      destIpRanges: texts,
      layer4Configs: z.prefault(z.array(z.object({ ipProtocol: z.string() })), []),
    }),
  ),
});

const policySchema = z.object({
  name: z.optional(z.string()),
  displayName: z.optional(z.string()),
  shortName: z.optional(z.string()),
  /** `HIERARCHY`, `NETWORK`, `NETWORK_REGIONAL`, and types of Google's own. */
  type: z.optional(z.string()),
  rules: z.prefault(z.array(policyRuleSchema), []),
});

const answerSchema = z.object({
  firewalls: z.prefault(z.array(ruleSchema), []),
  firewallPolicys: z.prefault(z.array(policySchema), []),
});

export type FirewallAnswer = z.infer<typeof answerSchema>;

/** Throws a ZodError if the answer does not have the documented form. */
export function parseFirewallAnswer(body: unknown): FirewallAnswer {
  return answerSchema.parse(body);
}

/** Merges the rules of a network with each region's policies there. */
export function toEffective(
  network: FirewallAnswer,
  regional: ReadonlyMap<string, FirewallAnswer>,
): EffectiveFirewall {
  return {
    rules: network.firewalls.filter(({ disabled }) => disabled !== true).flatMap(toRules),
    policyRules: [
      ...network.firewallPolicys.flatMap((policy) => toPolicyRules(policy)),
      ...[...regional].flatMap(([region, { firewallPolicys }]) =>
        firewallPolicys
          .filter(({ type }) => type?.endsWith("_REGIONAL") === true)
          .flatMap((policy) => toPolicyRules(policy, region)),
      ),
    ],
  };
}

type Rule = z.infer<typeof ruleSchema>;

const EVERYWHERE = "0.0.0.0/0";

/** Sources by name count beside sources by range: a rule that has both becomes two. */
function toRules(rule: Rule): FirewallRule[] {
  const { name, priority, sourceRanges, destinationRanges } = rule;
  const ingress = rule.direction === "INGRESS";
  const sourcesByName = [...rule.sourceTags, ...rule.sourceServiceAccounts].length > 0;
  const filtered = ingress ? sourceRanges : destinationRanges;
  const byRange = {
    name,
    direction: rule.direction,
    action: rule.denied.length > 0 ? ("deny" as const) : ("allow" as const),
    priority,
    tcp: tcpPorts(rule.denied.length > 0 ? rule.denied : rule.allowed),
    sourceRanges,
    destinationRanges,
    byName: [...rule.targetTags, ...rule.targetServiceAccounts].length > 0,
    ...(rule.targetTags.length > 0 ? { targetTags: rule.targetTags } : {}),
  };
  const anywhere = ingress ? { sourceRanges: [EVERYWHERE] } : { destinationRanges: [EVERYWHERE] };
  if (!sourcesByName) return [filtered.length > 0 ? byRange : { ...byRange, ...anywhere }];
  return [...(filtered.length > 0 ? [byRange] : []), { ...withoutTags(byRange), ...anywhere, byName: true }];
}

/** Its sources are in doubt for all nodes, so the targets do not matter. */
function withoutTags({ targetTags: _, ...rule }: FirewallRule): FirewallRule {
  return rule;
}

/** TCP by name and by protocol number: the API allows both. */
const TCP = ["tcp", "6"];
const ALL = ["all", ...TCP];

function tcpPorts(protocols: Rule["allowed"]): FirewallRule["tcp"] {
  const own = protocols.filter(({ IPProtocol }) => ALL.includes(IPProtocol.toLowerCase()));
  if (own.length === 0) return "none";
  return own.some(({ ports }) => ports.length === 0) ? "all" : own.flatMap(({ ports }) => ports);
}

type Policy = z.infer<typeof policySchema>;

/** `goto_next` leaves the decision to later rules, as the last rules of every policy do. */
function toPolicyRules({ rules, ...policy }: Policy, region?: string): PolicyRule[] {
  const name = policy.displayName ?? policy.shortName ?? policy.name ?? "without a name";
  return rules
    .filter(({ action, disabled }) => action !== "goto_next" && disabled !== true)
    .filter(({ match }) => {
      const configs = match?.layer4Configs ?? [];
      return configs.length === 0 || configs.some(({ ipProtocol }) => ALL.includes(ipProtocol.toLowerCase()));
    })
    .map(({ direction: way, priority, match }) => {
      const ranges = (way === "INGRESS" ? match?.srcIpRanges : match?.destIpRanges) ?? [];
      return {
        name: `policy ${name}, priority ${priority}`,
        direction: way,
        ...(region === undefined ? {} : { region }),
        ...(ranges.length === 0 ? {} : { remoteRanges: ranges }),
      };
    });
}

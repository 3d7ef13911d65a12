import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { parseRange } from "../../../shared/core/cluster/address-ranges.ts";
import {
  checkPairs,
  type FirewallRule,
  firewallMissing,
  type PolicyRule,
} from "../../../shared/core/firewall/firewall.ts";
import { createRule, ruleName } from "../../../shared/core/firewall/firewall-rule.ts";
import { gatewayRule } from "../../../shared/core/firewall/gateway-port.ts";
import { aCluster } from "../../support/builders/cluster.ts";

const NETWORK = { project: "shop", name: "default" };
const east = aCluster({ name: "east", podRanges: { cidrs: ["10.4.0.0/14"], namesOnly: [] } });
const west = aCluster({ name: "west", podRanges: { cidrs: ["10.8.0.0/14", "10.64.0.0/20"], namesOnly: [] } });
const OWN_TAGS = [east, west].map(({ ref, id }) => `gke-${ref.name}-${id.slice(0, 8)}-node`);

function aRule(rule: Partial<FirewallRule> = {}): FirewallRule {
  return {
    name: "pods",
    direction: "INGRESS",
    action: "allow",
    priority: 1000,
    tcp: "all",
    sourceRanges: ["10.0.0.0/8"],
    destinationRanges: [],
    byName: false,
    ...rule,
  };
}

const deny = (rule: Partial<FirewallRule> = {}) => aRule({ name: "no", action: "deny", ...rule });
const egress = (rule: Partial<FirewallRule> = {}) =>
  aRule({ name: "out", direction: "EGRESS", sourceRanges: [], destinationRanges: ["0.0.0.0/0"], ...rule });

function check(rules: readonly FirewallRule[], policyRules: readonly PolicyRule[] = []): string {
  const [verdict] = checkPairs(NETWORK, [west, east], { rules, policyRules });
  return verdict?.state ?? "none";
}

describe("requests from a cluster with two pod ranges to another", () => {
  it.each<[string, string, FirewallRule[]]>([
    ["are missing without any rule", "missing", []],
    ["are allowed by one over everything", "allowed", [aRule()]],
    [
      "are allowed by one of exactly both ranges",
      "allowed",
      [aRule({ sourceRanges: ["10.8.0.0/14", "10.64.0.0/20"] })],
    ],
    [
      "are missing if it leaves the node pool's range out",
      "missing",
      [aRule({ sourceRanges: ["10.8.0.0/14"] })],
    ],
    [
      "are missing if it leaves half of a range out",
      "missing",
      [aRule({ sourceRanges: ["10.8.0.0/15", "10.64.0.0/20"] })],
    ],
    [
      "are allowed by two that have half each",
      "allowed",
      [aRule({ sourceRanges: ["10.8.0.0/15", "10.64.0.0/20"] }), aRule({ sourceRanges: ["10.10.0.0/15"] })],
    ],
    ["are missing if the rule is about UDP", "missing", [aRule({ tcp: "none" })]],
    [
      "are missing if the rule is GKE's, of the cluster's own pods",
      "missing",
      [aRule({ sourceRanges: ["10.4.0.0/14"], byName: true })],
    ],
    [
      "are missing in a default network, with SSH and RDP",
      "missing",
      [
        aRule({ sourceRanges: ["0.0.0.0/0"], tcp: ["22"] }),
        aRule({ sourceRanges: ["0.0.0.0/0"], tcp: ["3389"] }),
      ],
    ],
    ["are not known with a rule for some ports", "unknown", [aRule({ tcp: ["8000-8999"] })]],
    ["are allowed by a rule that spells all ports out", "allowed", [aRule({ tcp: ["0-65535"] })]],
    ["are not known with a rule for some nodes", "unknown", [aRule({ byName: true })]],
    [
      "are missing with the rule that GKE makes for pods of another cluster",
      "missing",
      [aRule({ byName: true, targetTags: ["gke-other-0a1b2c3d-node"] })],
    ],
    [
      "are allowed by a rule for the nodes of both clusters, as Istio's documents make one",
      "allowed",
      [aRule({ byName: true, targetTags: OWN_TAGS })],
    ],
    [
      "are missing if a rule for these nodes denies",
      "missing",
      [aRule(), deny({ priority: 1, byName: true, targetTags: OWN_TAGS })],
    ],
    [
      "are not known with a rule for nodes of a cluster of that name and another hash",
      "unknown",
      [
        aRule({
          byName: true,
          targetTags: OWN_TAGS.map((tag) => tag.replace(/-[0-9a-f]{8}-node$/, "-ffffffff-node")),
        }),
      ],
    ],
    [
      "are not known with a rule that names other nodes besides",
      "unknown",
      [aRule({ byName: true, targetTags: ["gke-other-0a1b2c3d-node", "nodes"] })],
    ],
    [
      "are allowed by a rule behind one for some nodes",
      "allowed",
      [aRule({ byName: true, priority: 1 }), aRule()],
    ],
    ["are missing if a rule before it denies", "missing", [aRule(), deny({ priority: 999 })]],
    ["are missing if a rule of the same priority denies", "missing", [aRule(), deny()]],
    ["are allowed if the rule that denies comes later", "allowed", [aRule(), deny({ priority: 1001 })]],
    [
      "are allowed if what is denied is a kubelet's port",
      "allowed",
      [aRule(), deny({ priority: 1, tcp: ["10255"], byName: true })],
    ],
    ["are not known if some nodes deny before", "unknown", [aRule(), deny({ priority: 1, byName: true })]],
    [
      "are missing if some nodes deny and all the others, too",
      "missing",
      [deny({ priority: 1, byName: true })],
    ],
    [
      "are not known if some nodes allow and all others deny",
      "unknown",
      [aRule({ byName: true, priority: 1 }), deny()],
    ],
    [
      "are missing if one of the two ranges is denied",
      "missing",
      [aRule(), deny({ priority: 1, sourceRanges: ["10.64.0.0/24"] })],
    ],
    [
      "are allowed by a rule whose destinations hold all pods",
      "allowed",
      [aRule({ destinationRanges: ["10.4.0.0/14"] })],
    ],
    [
      "are missing if the rule is for another destination",
      "missing",
      [aRule({ destinationRanges: ["34.1.2.3"] })],
    ],
    [
      "are not known if it is for some of the pods",
      "unknown",
      [aRule({ destinationRanges: ["10.4.0.0/24"] })],
    ],
    ["are missing if nothing may go out", "missing", [aRule(), egress({ action: "deny" })]],
    [
      "are allowed if all but this network may go out",
      "allowed",
      [aRule(), egress({ priority: 1, destinationRanges: ["10.0.0.0/8"] }), egress({ action: "deny" })],
    ],
    [
      "are allowed if what may not go out is from other addresses",
      "allowed",
      [aRule(), egress({ action: "deny", sourceRanges: ["10.128.0.0/9"] })],
    ],
    ["are missing where only IPv6 is allowed", "missing", [aRule({ sourceRanges: ["fd20::/20"] })]],
  ])("%s", (_, state, rules) => {
    expect(check(rules)).toBe(state);
  });

  it.each<[string, string, PolicyRule]>([
    [
      "not known if a policy is about their addresses",
      "unknown",
      { name: "p", direction: "INGRESS", remoteRanges: ["10.8.0.0/16"] },
    ],
    ["not known if it matches in another way", "unknown", { name: "p", direction: "INGRESS" }],
    [
      "not known if it is about where they go",
      "unknown",
      { name: "p", direction: "EGRESS", remoteRanges: ["10.4.0.0/16"] },
    ],
    [
      "allowed if it is about others",
      "allowed",
      { name: "p", direction: "INGRESS", remoteRanges: ["192.168.0.0/16"] },
    ],
    [
      "allowed if it is of another region",
      "allowed",
      { name: "p", direction: "INGRESS", region: "us-east1" },
    ],
    [
      "not known if it is of this region",
      "unknown",
      { name: "p", direction: "INGRESS", region: "europe-west1" },
    ],
  ])("are %s", (_, state, policy) => {
    expect(check([aRule()], [policy])).toBe(state);
  });

  it("are not known if GKE does not tell the addresses of a range", () => {
    const vague = { ...west, podRanges: { cidrs: ["10.8.0.0/14"], namesOnly: ["more-pods"] } };
    const [verdict] = checkPairs(NETWORK, [vague, east], { rules: [aRule()], policyRules: [] });
    expect(verdict).toMatchObject({ state: "unknown", why: expect.stringContaining("more-pods") });
    expect(checkPairs(NETWORK, [vague, east], { rules: [], policyRules: [] })[0]?.state).toBe("missing");
  });

  it("are not known of a cluster that has no range yet", () => {
    const young = { ...west, podRanges: { cidrs: [], namesOnly: [] } };
    expect(checkPairs(NETWORK, [young, east], { rules: [aRule()], policyRules: [] })[0]?.state).toBe(
      "unknown",
    );
  });

  it("are nobody's concern across networks", () => {
    const apart = { ...west, network: { project: "shop", name: "other" } };
    expect(checkPairs(NETWORK, [apart, east], { rules: [], policyRules: [] })).toEqual([]);
  });
});

describe("the finding", () => {
  it("names pair and cure, once for each direction that is shut", () => {
    const oneWay = [aRule({ sourceRanges: ["10.4.0.0/14"] })];
    const verdicts = checkPairs(NETWORK, [east, west], { rules: oneWay, policyRules: [] });
    expect(firewallMissing(NETWORK, [east, west], verdicts)).toEqual([
      {
        reason: "FirewallMissing",
        severity: "error",
        clusterId: "cn-shop-europe-west1-east",
        message:
          "requests from pods of cn-shop-europe-west1-west to pods of cn-shop-europe-west1-east do not get through " +
          "network shop.default: no rule allows them, and a VPC denies what none allows",
        cure:
          "gcloud compute firewall-rules create meshjoin-pods --project=shop --network=default --direction=INGRESS " +
          "--source-ranges=10.4.0.0/14,10.8.0.0/14,10.64.0.0/20 --allow=tcp,udp,icmp || " +
          "gcloud compute firewall-rules update meshjoin-pods --project=shop --source-ranges=10.4.0.0/14,10.8.0.0/14,10.64.0.0/20",
      },
    ]);
  });

  it("leaves a place for ranges that are known by name alone", () => {
    const vague = { ...west, podRanges: { cidrs: ["10.8.0.0/14"], namesOnly: ["more-pods"] } };
    expect(createRule(NETWORK, [vague]).terraform).toBe(
      [
        "firewall = {",
        '  pod_ranges = ["10.8.0.0/14", "RANGE_OF_more-pods"]',
        '  networks   = { main = { project = "shop", network = "default" } }',
        "}",
      ].join("\n"),
    );
  });
});

describe("a command that makes a firewall rule", () => {
  const unknown = { cidrs: [], namesOnly: [] };

  it.each([
    ["of pods of one network", createRule(NETWORK, [{ ...west, podRanges: unknown }]).command],
    ["of pods of no member", createRule(NETWORK, []).command],
    [
      "of a gateway",
      gatewayRule(
        { ...west, podRanges: unknown },
        { cluster: east, addresses: ["10.1.0.9"], firewall: { rules: [], policyRules: [] } },
        "INGRESS",
      ),
    ],
  ])("admits nobody before a person has filled in ranges that GKE does not tell: %s", (_, command) => {
    // gcloud takes 0.0.0.0/0 where it gets none, and refuses what is no range.
    const [, ranges = ""] = /--source-ranges=(\S*)/.exec(command) ?? [];
    expect(ranges).toMatch(/^(?:PODS_OF_west|RANGE_OF_PODS)$/);
  });

  it("gives it a name of at most 63 characters, whatever the network is called", () => {
    const name = ruleName("meshjoin-pods-of", `${"n".repeat(45)}-${"x".repeat(17)}`);
    expect(name).toMatch(/^[a-z][a-z0-9-]{0,61}[a-z0-9]$/);
  });
});

/** Small blocks of one /16, so that rules and ranges meet often. */
const cidr = fc
  .tuple(fc.integer({ min: 0, max: 15 }), fc.constantFrom(20, 21, 22))
  .map(([block, bits]) => `10.0.${block * 16}.0/${bits}`);
const rule = fc.record<FirewallRule>({
  name: fc.constantFrom("a", "b", "c"),
  direction: fc.constant("INGRESS"),
  action: fc.constantFrom("allow", "deny"),
  priority: fc.integer({ min: 0, max: 3 }),
  tcp: fc.constantFrom("all", "none"),
  sourceRanges: fc.array(cidr, { minLength: 1, maxLength: 3 }),
  destinationRanges: fc.constant([]),
  byName: fc.constant(false),
});
const cluster = fc
  .uniqueArray(cidr, { minLength: 1, maxLength: 3 })
  .map((cidrs) => ({ ...west, podRanges: { cidrs, namesOnly: [] } }));

/** One address at a time, as a packet meets the rules. */
function passes(address: number, rules: readonly FirewallRule[]): boolean {
  const matching = rules.filter(
    ({ tcp, sourceRanges }) =>
      tcp === "all" &&
      sourceRanges.some((each) => {
        const range = parseRange(each);
        return range !== undefined && range.first <= address && address <= range.last;
      }),
  );
  const first = Math.min(...matching.map(({ priority }) => priority));
  const deciding = matching.filter(({ priority }) => priority === first);
  return deciding.length > 0 && deciding.every(({ action }) => action === "allow");
}

describe("the check, against each packet", () => {
  it("allows a pair exactly where every address passes", () => {
    fc.assert(
      fc.property(cluster, fc.array(rule, { maxLength: 6 }), (from, rules) => {
        const [verdict] = checkPairs(NETWORK, [from, east], { rules, policyRules: [] });
        const all = from.podRanges.cidrs.every((each) => {
          const range = parseRange(each);
          if (range === undefined) return false;
          const step = 256;
          for (let address = range.first; address <= range.last; address += step) {
            if (!passes(address, rules)) return false;
          }
          return true;
        });
        expect(verdict?.state).toBe(all ? "allowed" : "missing");
      }),
    );
  });

  it("never says allowed or missing of what a targeted rule decides, whatever the order of the rules", () => {
    fc.assert(
      fc.property(
        cluster,
        fc.array(rule, { maxLength: 5 }),
        fc.constantFrom("allow", "deny"),
        (from, rules, action) => {
          const some = aRule({ priority: -1, action, byName: true, sourceRanges: ["10.0.0.0/8"] });
          const state = (list: readonly FirewallRule[]) =>
            checkPairs(NETWORK, [from, east], { rules: list, policyRules: [] })[0]?.state;
          const without = state(rules);
          const certain = action === "allow" ? "allowed" : "missing";
          const mixed = state([...rules, some]);
          expect(mixed === without ? [certain, "missing"] : ["unknown"]).toContain(mixed);
          expect(state([some, ...rules.toReversed()])).toBe(mixed);
        },
      ),
    );
  });
});

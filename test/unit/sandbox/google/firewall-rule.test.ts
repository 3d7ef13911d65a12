import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { parseRule, passes, type Rule } from "../../../../sandbox/google/compute/rule.ts";
import { parseFirewallAnswer, toEffective } from "../../../../shared/adapters/compute-answer.ts";
import { checkPairs } from "../../../../shared/core/firewall/firewall.ts";
import { aCluster } from "../../../support/builders/cluster.ts";

function aRule(stated: Record<string, unknown> = {}): Rule {
  return {
    kind: "compute#firewall",
    id: "1",
    creationTimestamp: "",
    selfLink: "",
    network: "default",
    ...parseRule({
      name: "pods",
      allowed: [{ IPProtocol: "tcp" }],
      sourceRanges: ["10.4.0.0/14"],
      ...stated,
    }),
  };
}

const NODES = "gke-to-0a1b2c3d-node";
const connection = {
  source: { address: "10.4.1.2", nodeTags: [] },
  destination: { address: "10.8.1.2", nodeTags: [NODES] },
  port: 8080,
};
function aPod(address: string) {
  return { address, nodeTags: [] };
}

const denied = { allowed: undefined, denied: [{ IPProtocol: "all" }] };

describe("a connection in the VPC of the sandbox", () => {
  it.each<[string, boolean, Rule[]]>([
    ["gets no answer without any rule", false, []],
    ["passes by a rule of its source", true, [aRule()]],
    ["gets no answer by one of another source", false, [aRule({ sourceRanges: ["10.8.0.0/14"] })]],
    ["gets no answer by one that is disabled", false, [aRule({ disabled: true })]],
    ["gets no answer by one for other nodes", false, [aRule({ targetTags: ["nodes"] })]],
    ["passes by one for the nodes of its destination", true, [aRule({ targetTags: ["nodes", NODES] })]],
    [
      "gets no answer by one for service accounts",
      false,
      [aRule({ targetServiceAccounts: ["n@shop.iam.gserviceaccount.com"] })],
    ],
    [
      "passes if only the destination's nodes may send nothing",
      true,
      [aRule(), aRule({ ...denied, direction: "EGRESS", sourceRanges: [], targetTags: [NODES] })],
    ],
    [
      "gets no answer by one of other ports",
      false,
      [aRule({ allowed: [{ IPProtocol: "tcp", ports: ["80-90"] }] })],
    ],
    ["passes by one of its port", true, [aRule({ allowed: [{ IPProtocol: "tcp", ports: ["8000-8999"] }] })]],
    ["gets no answer if a rule of equal priority denies", false, [aRule(), aRule(denied)]],
    ["passes if the rule that denies comes later", true, [aRule(), aRule({ ...denied, priority: 1001 })]],
    [
      "gets no answer if it may not go out",
      false,
      [aRule(), aRule({ ...denied, direction: "EGRESS", sourceRanges: [] })],
    ],
  ])("%s", (_, expected, rules) => {
    expect(passes(rules, connection)).toBe(expected);
  });

  it.each([
    [{ name: "Pods" }, "resource.name"],
    [{ priority: 70_000 }, "resource.priority"],
    [{ sourceRanges: ["10.4.0.0/33"] }, "resource.sourceRanges"],
    [{ denied: [{ IPProtocol: "tcp" }] }, "Exactly one of allowed and denied"],
    [{ allowed: [] }, "Exactly one of allowed and denied"],
  ])("is not made by a rule like %j", (stated, message) => {
    expect(() => aRule(stated)).toThrow(message);
  });
});

const cidr = fc.constantFrom("10.4.0.0/14", "10.4.0.0/16", "10.8.0.0/14", "10.8.0.0/30", "0.0.0.0/0");
const rule = fc
  .record({
    action: fc.constantFrom("allowed", "denied"),
    direction: fc.constantFrom("INGRESS", "EGRESS"),
    priority: fc.integer({ min: 0, max: 3 }),
    disabled: fc.boolean(),
    sourceRanges: fc.array(cidr, { maxLength: 2 }),
    destinationRanges: fc.array(cidr, { maxLength: 2 }),
    protocol: fc.constantFrom("tcp", "all", "udp"),
    ports: fc.constantFrom(undefined, ["8080"]),
  })
  .map(({ action, protocol, ports, ...stated }) =>
    aRule({
      ...stated,
      allowed: undefined,
      [action]: [{ IPProtocol: protocol, ...(protocol === "tcp" && ports !== undefined ? { ports } : {}) }],
    }),
  );

describe("what doctor says of rules", () => {
  it("holds for connections: where one gets no answer, the pair is never allowed", () => {
    const from = aCluster({ name: "from", podRanges: { cidrs: ["10.4.0.0/14"], namesOnly: [] } });
    const to = aCluster({ name: "to", podRanges: { cidrs: ["10.8.0.0/14"], namesOnly: [] } });
    const sources = ["10.4.0.1", "10.5.0.1", "10.7.255.255"];
    const destinations = ["10.8.0.1", "10.8.0.9", "10.11.0.1"];
    const ports = [8080, 9090];
    fc.assert(
      fc.property(fc.array(rule, { maxLength: 6 }), (rules) => {
        const answer = parseFirewallAnswer({ firewalls: rules });
        const [verdict] = checkPairs(from.network, [from, to], toEffective(answer, new Map()));
        const passing = sources.flatMap((source) =>
          destinations.flatMap((destination) =>
            ports.map((port) =>
              passes(rules, { source: aPod(source), destination: aPod(destination), port }),
            ),
          ),
        );
        const possible = passing.includes(false) ? ["missing", "unknown"] : ["allowed", "unknown", "missing"];
        expect(possible).toContain(verdict?.state);
      }),
      { numRuns: 500 },
    );
  });
});

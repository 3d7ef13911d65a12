import { describe, expect, it } from "@jest/globals";
import { startCompute } from "../../sandbox/google/compute/api.ts";
import { listen } from "../../sandbox/google/http/server.ts";
import { computeFirewalls } from "../../shared/adapters/firewalls.ts";
import { googleAccessToken } from "../../shared/adapters/google-auth.ts";
import type { FirewallRule } from "../../shared/core/firewall/firewall.ts";
import { UnavailableError } from "../../shared/errors.ts";
import { fakeFirewalls } from "../support/fakes/firewalls.ts";
import { describeFirewalls, type FirewallsWorld } from "./firewalls.contract.ts";
import { operate, PROJECT, startGoogle } from "./google.ts";

async function startWorld(): Promise<FirewallsWorld & { insert(rule: object): Promise<unknown> }> {
  const google = await startGoogle();
  const api = await startCompute(google);
  const insert = (rule: object) =>
    operate(google, "POST", `${api.url}/compute/v1/projects/${PROJECT.id}/global/firewalls`, rule);
  return {
    firewalls: computeFirewalls({ endpoint: api.url, accessToken: googleAccessToken() }),
    insert,
    async create(rule) {
      await insert(asStated(rule));
    },
    overloadOnce() {
      google.faults.add({ target: "compute", kind: "status", status: 429, count: 1 });
    },
    async close() {
      await api.close();
      await google.close();
    },
  };
}

/** As gcloud sends it. */
function asStated({
  action,
  tcp,
  sourceRanges,
  destinationRanges,
  byName: _,
  ...rule
}: FirewallRule): object {
  const protocols =
    tcp === "none"
      ? [{ IPProtocol: "udp" }, { IPProtocol: "icmp" }]
      : [{ IPProtocol: "tcp", ...(tcp === "all" ? {} : { ports: tcp }) }, { IPProtocol: "udp" }];
  return {
    ...rule,
    network: `https://www.googleapis.com/compute/v1/projects/${PROJECT.id}/global/networks/default`,
    [action === "allow" ? "allowed" : "denied"]: protocols,
    sourceRanges,
    destinationRanges,
  };
}

async function startFake(): Promise<FirewallsWorld> {
  const firewalls = fakeFirewalls([PROJECT.id]);
  return {
    firewalls,
    create: async (rule) => firewalls.put({ project: PROJECT.id, name: "default" }, rule),
    overloadOnce: () =>
      firewalls.failNext(new UnavailableError("too many requests; try again", { code: "ResourceExhausted" })),
    close: () => Promise.resolve(),
  };
}

describeFirewalls("the fake", startFake);
describeFirewalls("the Compute API", startWorld);

describe("computeFirewalls", () => {
  const NETWORK = { project: PROJECT.id, name: "default" };

  it.each<[string, object, object[]]>([
    ["leaves a disabled rule out", { disabled: true }, []],
    [
      "takes all sources where none is named",
      {},
      [{ sourceRanges: ["0.0.0.0/0"], byName: false, tcp: "all", priority: 1000, direction: "INGRESS" }],
    ],
    [
      "does not know which sources a tag names",
      { sourceRanges: ["10.4.0.0/14"], sourceTags: ["nodes"] },
      [
        { sourceRanges: ["10.4.0.0/14"], byName: false },
        { sourceRanges: ["0.0.0.0/0"], byName: true },
      ],
    ],
    [
      "does not know which nodes have a service account",
      { targetServiceAccounts: ["n@shop.iam.gserviceaccount.com"] },
      [{ byName: true }],
    ],
    ["knows all protocols", { allowed: [{ IPProtocol: "all" }] }, [{ tcp: "all" }]],
    ["knows TCP by its number", { allowed: [{ IPProtocol: "6", ports: ["80"] }] }, [{ tcp: ["80"] }]],
  ])("%s", async (_, rule, expected) => {
    const world = await startWorld();
    try {
      await world.insert({ name: "one", allowed: [{ IPProtocol: "tcp" }], ...rule });
      const { rules } = await world.firewalls.effective(NETWORK, []);
      expect(rules).toHaveLength(expected.length);
      expect(rules).toMatchObject(expected);
    } finally {
      await world.close();
    }
  });

  it("reads the policies of network and regions, but not those that leave it to the next", async () => {
    const rule = (priority: number, more: object = {}) => ({
      action: "deny",
      direction: "INGRESS",
      priority,
      ...more,
    });
    const api = await listen(async (request, response) => {
      const regional = request.url?.includes("/regions/europe-west1/firewallPolicies/");
      const shared = {
        displayName: "org",
        type: "HIERARCHY",
        rules: [
          rule(1, { match: { srcIpRanges: ["10.0.0.0/8"], layer4Configs: [{ ipProtocol: "all" }] } }),
          rule(2, { match: { layer4Configs: [{ ipProtocol: "udp" }] } }),
          rule(3, { disabled: true }),
          rule(2_147_483_647, { action: "goto_next" }),
        ],
      };
      const own = {
        name: "west",
        type: "NETWORK_REGIONAL",
        rules: [rule(9, { direction: "EGRESS", action: "allow" })],
      };
      response.end(JSON.stringify({ firewallPolicys: regional === true ? [shared, own] : [shared] }));
    });
    try {
      const firewalls = computeFirewalls({ endpoint: api.url, accessToken: async () => "token" });
      expect(await firewalls.effective(NETWORK, ["europe-west1"])).toEqual({
        rules: [],
        policyRules: [
          { name: "policy org, priority 1", direction: "INGRESS", remoteRanges: ["10.0.0.0/8"] },
          { name: "policy west, priority 9", direction: "EGRESS", region: "europe-west1" },
        ],
      });
    } finally {
      await api.close();
    }
  });

  it.each<[string, number, string, string]>([
    [
      "an API that is not enabled",
      403,
      JSON.stringify({ error: { message: "no", details: [{ reason: "SERVICE_DISABLED" }] } }),
      "ServiceDisabled",
    ],
    ["an answer that is none", 200, "<html>", "Unavailable"],
    ["a rule of another form", 200, JSON.stringify({ firewalls: [{ name: 1 }] }), "Unavailable"],
  ])("tells %s", async (_, status, body, code) => {
    const api = await listen(async (_request, response) => {
      response.writeHead(status).end(body);
    });
    try {
      const firewalls = computeFirewalls({ endpoint: api.url, accessToken: async () => "secret-token" });
      const error: unknown = await firewalls.effective(NETWORK, []).catch((reason: unknown) => reason);
      expect(error).toMatchObject({ code });
      expect(String(error)).not.toContain("secret-token");
    } finally {
      await api.close();
    }
  });
});

import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import type { FirewallRule } from "../../shared/core/firewall/firewall.ts";
import type { Firewalls } from "../../shared/ports/firewalls.ts";

/** One world with a VPC in it, made by the fake or by a stand-in of the API. */
export interface FirewallsWorld {
  /** May read project `shop` and nothing else. */
  readonly firewalls: Firewalls;
  /** In network `default` of `shop`. */
  create(rule: FirewallRule): Promise<void>;
  /** The next request is answered with 429. */
  overloadOnce(): void;
  close(): Promise<void>;
}

const DEFAULT = { project: "shop", name: "default" };

const pods: FirewallRule = {
  name: "pods",
  direction: "INGRESS",
  action: "allow",
  priority: 1000,
  tcp: "all",
  sourceRanges: ["10.4.0.0/14", "10.64.0.0/20"],
  destinationRanges: [],
  byName: false,
};
const narrow: FirewallRule = {
  name: "narrow",
  direction: "EGRESS",
  action: "deny",
  priority: 7,
  tcp: ["80", "8000-8999"],
  sourceRanges: ["10.4.0.0/24"],
  destinationRanges: ["10.8.0.0/14"],
  byName: true,
  targetTags: ["nodes"],
};
const udp: FirewallRule = { ...pods, name: "udp", tcp: "none", destinationRanges: ["10.4.0.1/32"] };

export function describeFirewalls(name: string, start: () => Promise<FirewallsWorld>): void {
  describe(`${name} as Firewalls`, () => {
    let world: FirewallsWorld;
    beforeEach(async () => {
      world = await start();
    });
    afterEach(() => world.close());

    it("answers nothing where no rule is", async () => {
      expect(await world.firewalls.effective(DEFAULT, [])).toEqual({ rules: [], policyRules: [] });
    });

    it.each([pods, narrow, udp])("answers every fact of rule $name", async (rule) => {
      await world.create(rule);
      expect(await world.firewalls.effective(DEFAULT, ["europe-west1"])).toEqual({
        rules: [rule],
        policyRules: [],
      });
    });

    it("answers rules in several regions once", async () => {
      await world.create(pods);
      const { rules } = await world.firewalls.effective(DEFAULT, ["europe-west1", "us-east1"]);
      expect(rules).toEqual([pods]);
    });

    it("names the permission that it lacks", async () => {
      await expect(world.firewalls.effective({ ...DEFAULT, project: "stranger" }, [])).rejects.toMatchObject({
        name: "RefusedError",
        code: "PermissionDenied",
        retryable: false,
        message: expect.stringContaining(
          "permission compute.networks.getEffectiveFirewalls is missing on project stranger",
        ),
      });
    });

    it("refuses a network that does not exist", async () => {
      await expect(world.firewalls.effective({ ...DEFAULT, name: "gone" }, [])).rejects.toMatchObject({
        name: "RefusedError",
        code: "NotFound",
      });
    });

    it("fails retryably when the API is overloaded", async () => {
      world.overloadOnce();
      await expect(world.firewalls.effective(DEFAULT, [])).rejects.toMatchObject({
        name: "UnavailableError",
        code: "ResourceExhausted",
        retryable: true,
      });
    });

    it("fails retryably, and at once, when it is cancelled", async () => {
      await expect(world.firewalls.effective(DEFAULT, [], AbortSignal.abort())).rejects.toMatchObject({
        name: "UnavailableError",
        code: "Cancelled",
      });
    });
  });
}

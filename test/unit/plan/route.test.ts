import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import type { Cluster } from "../../../shared/core/cluster/cluster.ts";
import type { Member, Reachable } from "../../../shared/core/member/observation.ts";
import { clusterId } from "../../../shared/core/names.ts";
import type { Exposure } from "../../../shared/core/network/gateway.ts";
import type { MeshSpec } from "../../../shared/core/spec.ts";
import { planPairs } from "../../../shared/plan/pair.ts";
import { routeBetween } from "../../../shared/plan/route.ts";
import { aCluster } from "../../support/builders/cluster.ts";
import { aGateway } from "../../support/builders/gateway.ts";
import {
  aMember,
  anUnreachableMember,
  aPairContext,
  aReaderSecret,
  aRemoteSecret,
  NOW,
  ownControlPlane,
} from "../../support/builders/member.ts";
import { aSpec } from "../../support/builders/spec.ts";

const CONNECTED = { connectedNetworks: [["a", "b"]] };

/** A member of a network that its label names. */
function at(
  network: string,
  name: string,
  seen: Partial<Reachable> = {},
  seed: Partial<Cluster> = {},
): Member {
  const cluster = aCluster({ name, labels: { mesh_id: "prod", mesh_network: network }, ...seed });
  return { ...aMember(cluster, seen), network };
}

function routeOf(
  reader: Member,
  target: Member,
  others: readonly Member[] = [],
  spec: Partial<MeshSpec> = {},
) {
  const context = aPairContext([reader, target, ...others], { spec: aSpec({ ...CONNECTED, ...spec }) });
  const route = routeBetween(reader, target, context);
  return "finding" in route ? [route.kind, route.finding.reason] : [route.kind];
}

const READER = at("a", "reader");

describe("a route", () => {
  it.each<[string, readonly string[], Member, Partial<MeshSpec>]>([
    ["within a network", ["direct"], at("a", "target"), {}],
    ["through the target's gateway", ["gateway"], at("b", "target", { gateways: [aGateway("b")] }), {}],
    [
      "through no gateway without an address",
      ["pending", "GatewayPending"],
      at("b", "target", { gateways: [aGateway("b", { addresses: [] })] }),
      {},
    ],
    [
      "through no gateway without a ready pod",
      ["pending", "GatewayPending"],
      at("b", "target", { gateways: [aGateway("b", { isServing: false })] }),
      {},
    ],
    [
      "through no gateway of a network that it had before",
      ["pending", "GatewayPending"],
      at("b", "target", { gateways: [aGateway("c")] }),
      {},
    ],
    [
      "through no gateway that Meshjoin could not ask about",
      ["pending", "RunFailed"],
      at("b", "target", { gateways: { unread: { code: "Forbidden", message: "no", retryable: false } } }),
      {},
    ],
    ["through none that is not known yet", ["pending", "GatewayPending"], at("b", "target"), {}],
    [
      "not to an internal gateway of a network that is not connected",
      ["none", "NetworksNotConnected"],
      at("c", "target", { gateways: [aGateway("c")] }),
      {},
    ],
    [
      "to an external gateway of any network",
      ["gateway"],
      at("c", "target", { gateways: [aGateway("c", { exposure: "external" })] }),
      { gatewayExposure: "external" },
    ],
    ["not where gateways are off", ["none", "NetworkNotShared"], at("b", "target"), { gateways: "never" }],
    [
      "not to a control plane that is not Meshjoin's and has no gateway",
      ["none", "NetworkNotShared"],
      at("b", "target", { gateways: [], controlPlane: ownControlPlane({ owner: "foreign" }) }),
      {},
    ],
    [
      "through the gateway that a person has given a control plane of their own",
      ["gateway"],
      at("b", "target", {
        gateways: [aGateway("b", { gateway: undefined, settings: undefined })],
        controlPlane: ownControlPlane({ owner: "foreign" }),
      }),
      {},
    ],
    [
      "not to pods without addresses of their network",
      ["none", "NetworkNotShared"],
      at("a", "target", {}, { vpcNative: false }),
      {},
    ],
    [
      "through a gateway to pods without addresses of their network",
      ["gateway"],
      at("b", "target", { gateways: [aGateway("b")] }, { vpcNative: false }),
      {},
    ],
  ])("leads %s", (_, expected, target, spec) => {
    expect(routeOf(READER, target, [], spec)).toEqual(expected);
  });

  it("leads through another member's gateway, once the reader is paired with that member", () => {
    const target = at("b", "target", { gateways: [] });
    const sibling = at("b", "sibling", { gateways: [aGateway("b")] });
    expect(routeOf(READER, target, [sibling])).toEqual(["pending", "GatewayPending"]);
    const paired = at("a", "reader", {
      remoteSecrets: [aRemoteSecret(READER.cluster, sibling.cluster)],
    });
    expect(routeOf(paired, target, [sibling])).toEqual(["gateway"]);
  });

  it("leads through no other gateway while the target's own has an address, for istiod uses that one", () => {
    const sibling = at("b", "sibling", { gateways: [aGateway("b")] });
    const reader = at("a", "reader", { remoteSecrets: [aRemoteSecret(READER.cluster, sibling.cluster)] });
    const dead = at("b", "target", { gateways: [aGateway("b", { isServing: false })] });
    expect(routeOf(reader, dead, [sibling])).toEqual(["pending", "GatewayPending"]);
    const lost = at("b", "target", { gateways: [aGateway("b", { addresses: [] })] });
    expect(routeOf(reader, lost, [sibling])).toEqual(["gateway"]);
  });

  it("leads through no external gateway of another member while the target's own is internal", () => {
    const labels = { mesh_id: "prod", mesh_network: "c", mesh_gateway: "external" };
    const open = aGateway("c", { exposure: "external" });
    const sibling = at("c", "sibling", { gateways: [open] }, { labels });
    const reader = at("a", "reader", { remoteSecrets: [aRemoteSecret(READER.cluster, sibling.cluster)] });
    const target = at("c", "target", { gateways: [aGateway("c")] });
    expect(routeOf(reader, target, [sibling])).toEqual(["pending", "GatewayPending"]);
    expect(routeOf(reader, at("c", "target", { gateways: [] }), [sibling])).toEqual(["gateway"]);
  });

  it("that ends by the configuration keeps the token alive that the reader has", () => {
    const readerSecrets = [aReaderSecret(READER.cluster)];
    const target = at("c", "target", { gateways: [aGateway("c")], readerSecrets });
    const [tokenIssuedAt, tokenExpiresAt] = [-144, 1].map(
      (hours) => new Date(NOW.getTime() + hours * 3_600_000),
    );
    const reader = at("a", "reader", {
      remoteSecrets: [aRemoteSecret(READER.cluster, target.cluster, { tokenIssuedAt, tokenExpiresAt })],
    });
    const [plan] = planPairs(
      new Set([reader.clusterId]),
      aPairContext([reader, target], { spec: aSpec(CONNECTED) }),
    );
    expect(plan).toMatchObject({ standing: "excluded", isApart: true, action: { urgency: "ending" } });
  });

  it.each([
    ["alone, where it is in no group", [["x", "y"]], /if they do, .*=x\+y,a\+c; /],
    [
      "with those of its group",
      [["x", "y"], CONNECTED.connectedNetworks[0]!],
      /if all of a, b, c .*=x\+y,a\+b\+c; /,
    ],
    [
      "with those of both groups",
      [
        ["a", "b"],
        ["c", "d"],
      ],
      /if all of a, b, c, d .*=a\+b\+c\+d; /,
    ],
  ])(
    "to a network that is not connected has both cures; what it declares, %s, takes nothing back",
    (_, groups, value) => {
      const spec = aSpec({ connectedNetworks: groups });
      const target = at("c", "target", { gateways: [] });
      const route = routeBetween(READER, target, aPairContext([READER, target], { spec }));
      const { cure } = "finding" in route ? route.finding : { cure: "" };
      expect(cure).toMatch(value);
      expect(cure).toMatch(/or .*: meshjoin label cn-shop-europe-west1-target --gateway=external$/);
    },
  );

  it("beside a gateway that leads elsewhere names that one, and says not that none is up", () => {
    const byHand = { gateway: undefined, settings: undefined, service: "by-hand" };
    const open = aGateway("c", { exposure: "external" });
    const target = at("c", "target", { gateways: [open, aGateway("c", byHand)] });
    const spec = aSpec({ ...CONNECTED, gatewayExposure: "external" });
    const route = routeBetween(READER, target, aPairContext([READER, target], { spec }));
    expect(route).toMatchObject({
      kind: "pending",
      finding: {
        reason: "GatewayPending",
        message: expect.stringContaining("Service by-hand of cn-shop-europe-west1-target"),
        cure: expect.stringContaining("-n istio-system label service by-hand topology.istio.io/network-"),
      },
      isClosed: false,
    });
  });
});

describe("a gateway that is lost", () => {
  const lossOf = (target: Member) => {
    const reader = at("a", "reader", { remoteSecrets: [aRemoteSecret(READER.cluster, target.cluster)] });
    const spec = aSpec({ connectedNetworks: [["a", "b", "c"]] });
    const plans = planPairs(new Set([reader.clusterId]), aPairContext([reader, target], { spec }));
    return plans.find(({ reader: id }) => id === reader.clusterId)?.withdrawal?.findings[0];
  };

  it("is looked at by its Service, where a person made it", () => {
    const byHand = { gateway: undefined, settings: undefined, service: "by-hand", isServing: false };
    expect(lossOf(at("b", "target", { gateways: [aGateway("b", byHand)] }))).toMatchObject({
      reason: "GatewayLost",
      cure: expect.stringContaining("-n istio-system describe service by-hand;"),
    });
  });

  it("is that of the former network, where that is the one that is lost", () => {
    const gateways = [aGateway("b"), aGateway("c", { gateway: "meshjoin-eastwest-b", isServing: false })];
    const target = { ...at("b", "target", { gateways }), formerNetwork: "c" };
    expect(lossOf(target)).toMatchObject({
      message: expect.stringMatching(/^no gateway of network c is up/),
      cure: expect.stringContaining("describe gateways.gateway.networking.k8s.io meshjoin-eastwest-b;"),
    });
  });
});

const NETWORKS = ["a", "b", "c"] as const;

interface Seed {
  readonly network: (typeof NETWORKS)[number];
  readonly seenAt: "unreachable" | "unread" | "unknown" | readonly GatewaySeed[];
  readonly isForeign: boolean;
  /** Indexes of the members that it has a remote secret of. */
  readonly reads: readonly number[];
}

interface GatewaySeed {
  readonly network: string;
  readonly hasAddress: boolean;
  readonly isServing: boolean;
  readonly exposure: Exposure;
}

const gatewaySeed = fc.record<GatewaySeed>({
  network: fc.constantFrom(...NETWORKS),
  hasAddress: fc.boolean(),
  isServing: fc.boolean(),
  exposure: fc.constantFrom("internal" as const, "external" as const),
});
const seeds = fc.array(
  fc.record<Seed>({
    network: fc.constantFrom(...NETWORKS),
    seenAt: fc.oneof(
      fc.constantFrom("unreachable" as const, "unread" as const, "unknown" as const),
      fc.array(gatewaySeed, { maxLength: 2 }),
    ),
    isForeign: fc.boolean(),
    reads: fc.array(fc.nat({ max: 4 }), { maxLength: 4 }),
  }),
  { minLength: 2, maxLength: 5 },
);
const specs = fc.record({
  gateways: fc.constantFrom("auto" as const, "always" as const, "never" as const),
  gatewayExposure: fc.constantFrom("internal" as const, "external" as const),
  connectedNetworks: fc.constantFrom<string[][]>([], [["a", "b"]], [["a", "b", "c"]]),
});

function membersOf(given: readonly Seed[]): Member[] {
  const clusters = given.map(({ network }, index) => at(network, `m${index}`).cluster);
  return given.map(({ network, seenAt, isForeign, reads }, index) => {
    const cluster = clusters[index]!;
    if (seenAt === "unreachable") return { ...anUnreachableMember(cluster), network };
    const gateways =
      seenAt === "unread"
        ? ({ unread: { code: "Forbidden", message: "no", retryable: false } } as const)
        : seenAt === "unknown"
          ? undefined
          : seenAt.map((each) =>
              aGateway(each.network, { ...each, addresses: each.hasAddress ? ["192.0.2.1"] : [] }),
            );
    const targets = [...new Set(reads)].flatMap((read) => (read === index ? [] : (clusters[read] ?? [])));
    const readers = given.flatMap((other, from) =>
      from !== index && other.reads.includes(index) ? [clusters[from]!] : [],
    );
    return at(network, `m${index}`, {
      gateways,
      controlPlane: ownControlPlane(isForeign ? { owner: "foreign" } : {}),
      remoteSecrets: targets.map((target) => aRemoteSecret(cluster, target)),
      readerSecrets: readers.map((reader) => aReaderSecret(reader)),
    });
  });
}

/** The member's own gateways of the network, as they are known. */
function gatewaysIn({ seenAt }: Seed, network: string): readonly GatewaySeed[] {
  return Array.isArray(seenAt) ? seenAt.filter((each: GatewaySeed) => each.network === network) : [];
}

/** Whether they let requests of other networks in now. */
function isOpenNow(seed: Seed, network: string): boolean {
  return gatewaysIn(seed, network).some((each) => each.hasAddress && each.isServing);
}

/** Whether istiods of its readers use its own gateways alone. */
function hasAddress(seed: Seed): boolean {
  return gatewaysIn(seed, seed.network).some((each) => each.hasAddress);
}

describe("no plan, whatever gateways do,", () => {
  const check = (
    assert: (
      plan: ReturnType<typeof planPairs>[number],
      given: readonly Seed[],
      ends: { readonly reader: number; readonly target: number },
    ) => void,
  ) => {
    fc.assert(
      fc.property(seeds, specs, (given, spec) => {
        const members = membersOf(given);
        const ids = members.map((member) => clusterId(member.cluster.ref));
        const plans = planPairs(new Set(ids), aPairContext(members, { spec: aSpec(spec) }));
        for (const plan of plans)
          assert(plan, given, { reader: ids.indexOf(plan.reader), target: ids.indexOf(plan.target) });
      }),
      { numRuns: 400 },
    );
  };

  it("makes a remote secret across networks without a gateway that is up", () => {
    let made = 0;
    check(({ action }, given, { reader, target }) => {
      if (action?.verb !== "create") return;
      const [from, to] = [given[reader]!, given[target]!];
      if (from.network === to.network) return;
      made += 1;
      const open = given.filter(
        (other, index) =>
          isOpenNow(other, to.network) &&
          (index === target || (!hasAddress(to) && (index === reader || from.reads.includes(index)))),
      );
      expect(open).not.toEqual([]);
    });
    expect(made).toBeGreaterThan(0);
  });

  it("takes a remote secret away unless every gateway that could lead there is known not to", () => {
    let taken = 0;
    check(({ withdrawal }, given, { reader, target }) => {
      if (withdrawal === undefined) return;
      taken += 1;
      const [from, to] = [given[reader]!, given[target]!];
      expect(from.network).not.toBe(to.network);
      expect(from.seenAt).not.toBe("unreachable");
      const asked = given.filter(
        (other, index) =>
          (other.network === to.network || gatewaysIn(other, to.network).length > 0) &&
          (index === target || (!hasAddress(to) && (index === reader || from.reads.includes(index)))),
      );
      expect(asked.every(({ seenAt }) => Array.isArray(seenAt))).toBe(true);
      expect(asked.some((other) => isOpenNow(other, to.network))).toBe(false);
    });
    expect(taken).toBeGreaterThan(0);
  });
});

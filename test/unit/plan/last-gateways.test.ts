import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import type { Cluster } from "../../../shared/core/cluster/cluster.ts";
import type { Member, Reachable, RemoteSecretState } from "../../../shared/core/member/observation.ts";
import { clusterId } from "../../../shared/core/names.ts";
import type { PairContext } from "../../../shared/plan/context.ts";
import { planLastGateways } from "../../../shared/plan/last-gateways.ts";
import { aCluster } from "../../support/builders/cluster.ts";
import { aGateway } from "../../support/builders/gateway.ts";
import {
  aMember,
  anUnreachableMember,
  aPairContext,
  aRemoteSecret,
  ownControlPlane,
} from "../../support/builders/member.ts";
import { aSpec } from "../../support/builders/spec.ts";

const SPEC = aSpec({ connectedNetworks: [["a", "b", "c"]] });

function clusterAt(network: string, name: string): Cluster {
  return aCluster({ name, labels: { mesh_id: "prod", mesh_network: network } });
}

/** A member of that network, with its gateway. */
function at(network: string, name: string, seen: Partial<Reachable> = {}): Member {
  const cluster = clusterAt(network, name);
  return { ...aMember(cluster, { gateways: [aGateway(network)], ...seen }), network };
}

const [READER, TARGET] = [clusterAt("a", "reader"), clusterAt("b", "target")];

/** A reader of the target, whose remote secret notes this. */
function aReader(
  note: string | undefined,
  seed: Partial<RemoteSecretState> = {},
  seen: Partial<Reachable> = {},
) {
  const remoteSecrets = [aRemoteSecret(READER, TARGET, { lastGateway: note, ...seed })];
  return at("a", "reader", { remoteSecrets, ...seen });
}

function actionsFor(reader: Member, others: readonly Member[], seed: Partial<PairContext> = {}): string[] {
  const context = aPairContext([reader, ...others], { spec: SPEC, ...seed, standings: {} });
  return planLastGateways(context).actions.map((action) =>
    action.kind === "keepLastGateway"
      ? `${action.verb} ${action.last.network} ${action.last.addresses.join()}`
      : action.verb,
  );
}

const NOTE = `b 192.0.2.1 ${aRemoteSecret(READER, TARGET).uid}`;
const target = (seen: Partial<Reachable> = {}) => at("b", "target", seen);
const unread = { unread: { code: "Forbidden", message: "no", retryable: false } } as const;

describe("what a reader holds of the gateway of another network", () => {
  it.each<[string, readonly string[], Member, readonly Member[], Partial<PairContext>?]>([
    ["is made where a gateway is up", ["create b 192.0.2.1"], aReader(undefined), [target()]],
    ["is left where it is as it should be", [], aReader(NOTE), [target()]],
    [
      "is made anew where the note is of another remote secret, of which this one is a copy",
      ["update b 192.0.2.1"],
      aReader(NOTE, { uid: "another" }),
      [target()],
    ],
    [
      "follows the gateway to another address",
      ["update b 192.0.2.2"],
      aReader(NOTE),
      [target({ gateways: [aGateway("b", { addresses: ["192.0.2.2"] })] })],
    ],
    [
      "does not follow it to one that is not served",
      [],
      aReader(NOTE),
      [target({ gateways: [aGateway("b", { addresses: ["192.0.2.2"], isServing: false })] })],
    ],
    ["stays while the target has no gateway", [], aReader(NOTE), [target({ gateways: [] })]],
    [
      "stays while the gateway has no address",
      [],
      aReader(NOTE),
      [target({ gateways: [aGateway("b", { addresses: [] })] })],
    ],
    ["stays while the gateway is hidden", [], aReader(NOTE), [target({ gateways: [aGateway("")] })]],
    [
      "stays while the target does not answer",
      [],
      aReader(NOTE),
      [{ ...anUnreachableMember(TARGET), network: "b" }],
    ],
    ["stays while the gateways may not be read", [], aReader(NOTE), [target({ gateways: unread })]],
    ["stays while nobody asks for gateways", [], aReader(NOTE), [target({ gateways: undefined })]],
    ["stays where the target is no member any more", [], aReader(NOTE), [at("c", "third")]],
    ["is not made while it is not known", [], aReader(undefined), [target({ gateways: unread })]],
    ["is not made without a remote secret", [], at("a", "reader"), [target()]],
    ["is not made beside a foreign remote secret", [], aReader(undefined, { owner: "foreign" }), [target()]],
    ["is not made for one that istiod does not read", [], aReader(undefined, { isRead: false }), [target()]],
    [
      "is not made of a host name, and goes",
      ["delete"],
      aReader(NOTE),
      [target({ gateways: [aGateway("b", { addresses: ["gateway.example.com"] })] })],
    ],
    [
      "goes where a person has made the gateway",
      ["delete"],
      aReader(NOTE),
      [target({ gateways: [aGateway("b", { gateway: undefined, settings: undefined })] })],
    ],
    [
      "goes when the cluster has a second gateway, hidden or not",
      ["delete"],
      aReader(NOTE),
      [target({ gateways: [aGateway("b"), aGateway("", { gateway: "meshjoin-eastwest-b" })] })],
    ],
    ["goes when the network has a second member", ["delete"], aReader(NOTE), [target(), at("b", "third")]],
    [
      "goes when the network has a second member that does not answer",
      ["delete"],
      aReader(NOTE),
      [target(), { ...anUnreachableMember(clusterAt("b", "third")), network: "b" }],
    ],
    [
      "goes when another member comes to the network",
      ["delete"],
      aReader(NOTE),
      [target(), { ...at("c", "third"), nextNetwork: "b" }],
    ],
    [
      "goes while another member may have pods in the network",
      ["delete"],
      aReader(NOTE),
      [target(), { ...at("c", "third"), formerNetwork: "b" }],
    ],
    [
      "goes when another member has a gateway of the network",
      ["delete"],
      aReader(NOTE),
      [target(), at("c", "third", { gateways: [aGateway("c"), aGateway("b", { service: "mine" })] })],
    ],
    [
      "goes while the target changes its network",
      ["delete"],
      aReader(NOTE),
      [{ ...target(), nextNetwork: "c" }],
    ],
    [
      "goes while the target has pods in its former one",
      ["delete"],
      aReader(NOTE),
      [{ ...target(), formerNetwork: "c" }],
    ],
    [
      "goes when the reader comes to the network",
      ["delete"],
      { ...aReader(NOTE), nextNetwork: "b" },
      [target()],
    ],
    ["goes when the pair is direct", ["delete"], { ...aReader(NOTE), network: "b" }, [target()]],
    [
      "goes when the reader reads an unknown cluster that may be in the network",
      ["delete"],
      at("a", "reader", {
        remoteSecrets: [
          aRemoteSecret(READER, TARGET, { lastGateway: NOTE }),
          aRemoteSecret(READER, clusterAt("b", "unknown"), { owner: "foreign" }),
        ],
      }),
      [target()],
    ],
    [
      "stays when the reader reads an unknown cluster of a third network",
      [],
      at("a", "reader", {
        remoteSecrets: [
          aRemoteSecret(READER, TARGET, { lastGateway: NOTE }),
          aRemoteSecret(READER, clusterAt("c", "unknown"), { targetNetwork: "c" }),
        ],
      }),
      [target()],
    ],
    [
      "goes when the reader should have no gateway any more",
      ["delete"],
      aReader(NOTE),
      [target()],
      { spec: { ...SPEC, gateways: "never" } },
    ],
    [
      "stays with such a reader while a source is silent",
      [],
      aReader(NOTE),
      [target()],
      { spec: { ...SPEC, gateways: "never" }, isWholeView: false },
    ],
    [
      "is not made where the reader has no Gateway API yet",
      [],
      aReader(undefined, {}, { gateways: [] }),
      [target()],
    ],
    [
      "is not made in a control plane that is not Meshjoin's",
      [],
      aReader(undefined, {}, { controlPlane: ownControlPlane({ owner: "foreign" }) }),
      [target()],
    ],
  ])("%s", (...[, actions, reader, others, seed]) => {
    expect(actionsFor(reader, others, seed)).toEqual(actions);
  });

  it("gets its note again where the remote secret is written anew", () => {
    const context = aPairContext([aReader(NOTE), target()], { spec: SPEC });
    const { actions } = planLastGateways(context, (reader) => reader === clusterId(READER.ref));
    expect(actions).toMatchObject([
      { kind: "keepLastGateway", verb: "update", target: clusterId(TARGET.ref) },
    ]);
  });
});

const network = fc.constantFrom("a", "b", "c");
const gateways = fc.option(
  fc.array(
    fc.record({
      network: fc.constantFrom("own", "own", "own", "a", "b", "c", ""),
      isServing: fc.boolean(),
      settings: fc.constantFrom("x", "x", undefined),
      addresses: fc.constantFrom<readonly string[]>(
        [],
        ["192.0.2.1"],
        ["192.0.2.2"],
        ["gateway.example.com"],
      ),
    }),
    { maxLength: 3 },
  ),
  { nil: undefined },
);
const members = fc.array(
  fc.record({
    network,
    nextNetwork: fc.option(network, { nil: undefined, freq: 1 }),
    formerNetwork: fc.option(network, { nil: undefined, freq: 1 }),
    gateways,
    isReachable: fc.boolean(),
  }),
  { minLength: 1, maxLength: 4 },
);

describe("of any mesh", () => {
  it("a reader holds the address of a live gateway alone, of a network with one member and one gateway", () => {
    let kept = 0;
    fc.assert(
      fc.property(members, (drawn) => {
        const seeds = drawn.map((seed) => ({
          ...seed,
          gateways: seed.gateways?.map((each) => ({
            ...each,
            network: each.network === "own" ? seed.network : each.network,
          })),
        }));
        const clusters = seeds.map((seed, index) => clusterAt(seed.network, `m${index}`));
        const others = seeds.map((seed, index): Member => {
          const cluster = clusters[index]!;
          const { nextNetwork, formerNetwork } = seed;
          const seen = { gateways: seed.gateways?.map((each) => aGateway(each.network, each)) };
          const member = seed.isReachable ? aMember(cluster, seen) : anUnreachableMember(cluster);
          return { ...member, network: seed.network, nextNetwork, formerNetwork };
        });
        const reader = at("a", "reader", {
          remoteSecrets: clusters.map((each) => aRemoteSecret(READER, each)),
        });
        const context = aPairContext([reader, ...others], { spec: SPEC });
        for (const action of planLastGateways(context).actions) {
          if (action.clusterId !== reader.clusterId || action.kind !== "keepLastGateway") continue;
          kept += 1;
          const { network: of, addresses } = action.last;
          const inIt = others.filter((each) =>
            [each.network, each.nextNetwork, each.formerNetwork].includes(of),
          );
          expect(inIt.map((each) => each.clusterId)).toEqual([action.target]);
          const all = seeds.flatMap((seed) => (seed.isReachable ? (seed.gateways ?? []) : []));
          const known = all.filter((gateway) => gateway.network === of);
          expect(known).toMatchObject([{ isServing: true, addresses }]);
          expect(of).not.toBe("a");
        }
      }),
      { numRuns: 3000 },
    );
    expect(kept).toBeGreaterThan(5);
  });
});

import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import type { Cluster } from "../../../shared/core/cluster/cluster.ts";
import type { Member, Reachable } from "../../../shared/core/member/observation.ts";
import { clusterId } from "../../../shared/core/names.ts";
import type { MeshSpec } from "../../../shared/core/spec.ts";
import type { PeerStanding } from "../../../shared/plan/member.ts";
import { type PairPlan, planPairs } from "../../../shared/plan/pair.ts";
import { aCluster, allEndpoints } from "../../support/builders/cluster.ts";
import {
  aMember,
  anUnreachableMember,
  aPairContext,
  aPairedFleet,
  aReaderSecret,
  aRemoteSecret,
  NOW,
} from "../../support/builders/member.ts";
import { aSpec } from "../../support/builders/spec.ts";

const EAST = aCluster({ name: "east" });
const WEST = aCluster({ name: "west" });
const DAY_MS = 86_400_000;

interface Given {
  readonly spec?: Partial<MeshSpec>;
  readonly standings?: Readonly<Record<string, PeerStanding>>;
  readonly subjects?: readonly string[];
  readonly now?: Date;
}

/** All are subjects and complete, unless something else is given. */
function plan(members: readonly Member[], given: Given = {}): PairPlan[] {
  const ids = members.map((member) => member.clusterId);
  const { subjects = ids, spec, standings = {}, now = NOW } = given;
  const context = aPairContext(members, { spec: aSpec(spec), standings, now });
  return planPairs(new Set(subjects), context);
}

/** How east reads west. */
function eastToWest(members: readonly Member[], given: Given = {}): PairPlan {
  const found = plan(members, given).find(({ reader }) => reader === clusterId(EAST.ref));
  if (found === undefined) throw new Error("east does not read west");
  return found;
}

/** A paired fleet of east and west, with what was seen on them changed. */
function seeing(east: Partial<Reachable>, west: Partial<Reachable> = {}): Member[] {
  return [
    aMember(EAST, {
      remoteSecrets: [aRemoteSecret(EAST, WEST)],
      readerSecrets: [aReaderSecret(WEST)],
      ...east,
    }),
    aMember(WEST, {
      remoteSecrets: [aRemoteSecret(WEST, EAST)],
      readerSecrets: [aReaderSecret(EAST)],
      ...west,
    }),
  ];
}

const remote = (seed: Parameters<typeof aRemoteSecret>[2]) => ({
  remoteSecrets: [aRemoteSecret(EAST, WEST, seed)],
});
const reader = (seed: Parameters<typeof aReaderSecret>[1]) => ({
  readerSecrets: [aReaderSecret(EAST, seed)],
});

describe("a pair", () => {
  it("that is as it should be is current, both ways round", () => {
    const plans = plan(aPairedFleet([EAST, WEST]));
    expect(plans).toMatchObject([
      { reader: clusterId(EAST.ref), target: clusterId(WEST.ref), standing: "current", findings: [] },
      { reader: clusterId(WEST.ref), target: clusterId(EAST.ref), standing: "current", findings: [] },
    ]);
    for (const each of plans) expect(each).not.toHaveProperty("action");
  });

  it("that does not exist is connected", () => {
    expect(eastToWest([aMember(EAST), aMember(WEST)])).toMatchObject({
      standing: "connect",
      action: {
        kind: "connect",
        verb: "create",
        clusterId: clusterId(EAST.ref),
        target: clusterId(WEST.ref),
        resourceVersion: undefined,
        findings: [{ reason: "RemoteSecretMissing" }],
      },
    });
  });

  it.each<[string, string, Member[]]>([
    [
      "RemoteSecretOutdated",
      "was made for an earlier cluster of the name",
      seeing(remote({ targetGkeId: "old" })),
    ],
    ["RemoteSecretOutdated", "holds another address", seeing(remote({ endpointDigest: "0" }))],
    ["RemoteSecretOutdated", "was changed by somebody", seeing(remote({ editedBy: "kubectl-edit" }))],
    ["RemoteSecretOutdated", "lost the label that istiod looks for", seeing(remote({ isRead: false }))],
    ["RemoteSecretOutdated", "lost its annotations", seeing(remote({ endpointDigest: undefined }))],
    ["RemoteSecretOutdated", "is bound to a Secret that is gone", seeing({}, { readerSecrets: [] })],
    ["RemoteSecretOutdated", "is bound to another Secret of the name", seeing({}, reader({ uid: "new" }))],
    [
      "RemoteSecretOutdated",
      "stands for an earlier reader of the name",
      seeing({}, reader({ readerGkeId: "old" })),
    ],
    ["TokenDue", "does not say when it expires", seeing(remote({ tokenExpiresAt: undefined }))],
    ["TokenDue", "does not say when it was issued", seeing(remote({ tokenIssuedAt: undefined }))],
    [
      "RemoteSecretOutdated",
      "has a token that has ended",
      seeing(remote({ tokenIssuedAt: new Date(0), tokenExpiresAt: new Date(1) })),
    ],
  ])("is renewed (%s) when its remote secret %s", (reason, _, members) => {
    expect(eastToWest(members)).toMatchObject({
      standing: "connect",
      action: { verb: "update", resourceVersion: "8", findings: [{ reason }] },
    });
  });

  it("is renewed when the address of its target changes", () => {
    const moved = { ...WEST, endpoints: allEndpoints("moved") };
    const [east] = aPairedFleet([EAST, WEST]);
    const [, west] = aPairedFleet([EAST, moved]);
    expect(eastToWest([east!, west!])).toMatchObject({ standing: "connect", action: { verb: "update" } });
  });

  it.each<[string, string, Partial<Cluster>]>([
    ["is in another network", "NetworksNotConnected", { network: { project: "shop", name: "dmz" } }],
    [
      "is in a network of the same name elsewhere",
      "NetworksNotConnected",
      { network: { project: "host", name: "default" } },
    ],
    ["has no VPC-native pods", "NetworkNotShared", { vpcNative: false }],
  ])("is excluded, both ways, when one %s", (_, reason, seed) => {
    const plans = plan([aMember(EAST), aMember({ ...WEST, ...seed })]);
    const excluded = { standing: "excluded", findings: [{ reason }] };
    expect(plans).toMatchObject([excluded, excluded]);
    for (const each of plans) expect(each).not.toHaveProperty("action");
  });

  it.each<[string, readonly Member[], Given, string]>([
    [
      "has not finished its own half",
      [aMember(EAST), aMember(WEST)],
      { standings: { [clusterId(WEST.ref)]: "pending" } },
      "PeerPending",
    ],
    [
      "is blocked",
      [aMember(EAST), aMember(WEST)],
      { standings: { [clusterId(WEST.ref)]: "blocked" } },
      "PeerPending",
    ],
    [
      "cannot be reached",
      [aMember(EAST), anUnreachableMember(WEST)],
      { standings: { [clusterId(WEST.ref)]: "blocked" } },
      "ApiServerUnreachable",
    ],
  ])("is pending, both ways, when one %s", (_, members, given, reason) => {
    const pending = { standing: "pending", findings: [{ reason, clusterId: clusterId(WEST.ref) }] };
    expect(plan(members, given)).toMatchObject([pending, pending]);
  });

  it("is blocked when the target cannot be addressed as it was configured", () => {
    const { public: _, ...endpoints } = WEST.endpoints;
    const members = [aMember(EAST), aMember({ ...WEST, endpoints })];
    expect(eastToWest(members, { spec: { accessPeers: "public" } })).toMatchObject({
      standing: "blocked",
      findings: [{ reason: "EndpointNotAvailable" }],
    });
  });

  it.each<["foreign" | "otherMesh"]>([["foreign"], ["otherMesh"]])(
    "is left to whoever keeps a remote secret for it (%s), by name or by cluster ID",
    (owner) => {
      const byName = remote({ owner, targetId: "other" });
      const byId = remote({ owner, name: "by-hand" });
      for (const seen of [byName, byId]) {
        expect(eastToWest(seeing(seen))).toMatchObject({
          standing: "excluded",
          findings: [{ reason: "ForeignRemoteSecret", clusterId: clusterId(EAST.ref) }],
        });
      }
    },
  );

  it("is blocked by a foreign Secret of its name that istiod passes over", () => {
    expect(eastToWest(seeing(remote({ owner: "foreign", isRead: false })))).toMatchObject({
      standing: "blocked",
      findings: [{ reason: "ForeignRemoteSecret", clusterId: clusterId(EAST.ref) }],
    });
  });

  describe.each<[Exclude<PeerStanding, "complete">]>([["pending"], ["blocked"], ["down"]])(
    "whose target is %s",
    (standing) => {
      const west = clusterId(WEST.ref);
      const later = new Date(NOW.getTime() + 5 * DAY_MS);
      const unready = (members: readonly Member[], now = later) =>
        eastToWest(members, { standings: { [west]: standing }, now });
      const waiting = { standing: "pending", findings: [{ reason: "PeerPending", clusterId: west }] };

      it("waits for it, and has its token renewed all the same", () => {
        expect(unready(seeing({}))).toMatchObject({
          ...waiting,
          action: {
            verb: "update",
            urgency: "due",
            findings: [{ reason: "TokenDue" }],
            writes: [{ verb: "update", clusterId: clusterId(EAST.ref) }],
          },
        });
      });

      it.each<[string, Member[]]>([
        ["is none yet", seeing({ remoteSecrets: [] })],
        ["was for an earlier cluster of the name", seeing(remote({ targetGkeId: "old" }))],
        ["is not read by istiod", seeing(remote({ isRead: false }))],
        ["is somebody else's", seeing(remote({ owner: "foreign" }))],
        ["would be bound to somebody else's Secret", seeing({}, reader({ owner: "foreign" }))],
      ])("is not written where its remote secret %s", (_, members) => {
        const planned = unready(members);
        expect(planned).toMatchObject(waiting);
        expect(planned).not.toHaveProperty("action");
      });

      it(`${standing === "down" ? "writes a new reader Secret" : "writes nothing"} on a target that lost its own`, () => {
        const written = unready(seeing({}, { readerSecrets: [] })).action?.writes.map(
          ({ clusterId: id }) => id,
        );
        expect(written).toEqual(standing === "down" ? [west, clusterId(EAST.ref)] : undefined);
      });

      it("is left alone as long as the token is good", () => {
        expect(unready(seeing({}), NOW)).not.toHaveProperty("action");
      });
    },
  );

  it("is renewed beside a remote secret of somebody else's, which istiod reads too", () => {
    const byHand = aRemoteSecret(EAST, WEST, { name: "by-hand", owner: "foreign" });
    const doubled = seeing({ remoteSecrets: [byHand, aRemoteSecret(EAST, WEST)] });
    const kept = { standing: "excluded", findings: [{ reason: "ForeignRemoteSecret" }] };
    expect(eastToWest(doubled)).toMatchObject(kept);
    expect(eastToWest(doubled)).not.toHaveProperty("action");
    const now = new Date(NOW.getTime() + 5 * DAY_MS);
    expect(eastToWest(doubled, { now })).toMatchObject({
      ...kept,
      action: { verb: "update", urgency: "due", resourceVersion: "8" },
    });
  });

  it("is blocked by a foreign Secret of the reader's name in the target", () => {
    expect(eastToWest(seeing({ remoteSecrets: [] }, reader({ owner: "foreign" })))).toMatchObject({
      standing: "blocked",
      findings: [{ reason: "ForeignReaderSecret", clusterId: clusterId(WEST.ref) }],
    });
  });
});

const CLUSTERS = Array.from({ length: 12 }, (_, index) => aCluster({ name: `c${index}` }));

function stateOf({ state }: Member): Reachable {
  if (!state.reachable) throw new TypeError("the member is unreachable; build one that is not");
  return state;
}

describe("a token of seven days", () => {
  const dueAfter = (days: number, pair: readonly [Cluster, Cluster] = [EAST, WEST]) => {
    const now = new Date(NOW.getTime() + days * DAY_MS);
    return plan(aPairedFleet(pair), { now }).map(({ action }) => action?.findings[0]?.reason);
  };

  it.each([0, 1, 3.49])("is not due after %s days", (days) => {
    expect(dueAfter(days)).toEqual([undefined, undefined]);
  });

  it.each([4.91, 6, 6.99])("is due after %s days", (days) => {
    expect(dueAfter(days)).toEqual(["TokenDue", "TokenDue"]);
  });

  it.each([7, 100])("is dead after %s days, and does not wait for its turn", (days) => {
    expect(dueAfter(days)).toEqual(["RemoteSecretOutdated", "RemoteSecretOutdated"]);
    const [holder, ...targets] = CLUSTERS;
    const remoteSecrets = targets.map((target) => aRemoteSecret(holder!, target));
    const members = [
      aMember(holder, { remoteSecrets }),
      ...targets.map((target) => aMember(target, { readerSecrets: [aReaderSecret(holder!)] })),
    ];
    const now = new Date(NOW.getTime() + days * DAY_MS);
    const due = plan(members, { now }).filter(
      (pair) => pair.reader === aMember(holder).clusterId && pair.action !== undefined,
    );
    expect(due).toHaveLength(targets.length);
  });

  it("becomes due between half and seven tenths of its life, once and for all, and not all at once", () => {
    const couples = CLUSTERS.flatMap((a, index) => CLUSTERS.slice(index + 1).map((b) => [a, b] as const));
    const dueAt = (days: number) =>
      couples.flatMap((couple) => dueAfter(days, couple)).filter(Boolean).length;
    const counts = [3.5, 3.7, 3.9, 4.1, 4.3, 4.5, 4.7, 4.9].map(dueAt);
    expect(counts).toEqual(counts.toSorted((a, b) => a - b));
    expect(counts[0]).toBeLessThan(10);
    expect(counts.at(-1)).toBe(132);
    for (const [index, count] of counts.slice(1).entries()) {
      expect(count - (counts[index] ?? 0)).toBeLessThan(132 / 3);
    }
  });

  it("is renewed one at a time for each reader, that which ends first", () => {
    const [one, ...targets] = CLUSTERS;
    const endsFirst = targets[4]!;
    const remoteSecrets = targets.map((target) =>
      aRemoteSecret(one!, target, {
        tokenExpiresAt: new Date(NOW.getTime() + (target === endsFirst ? 6.9 : 7) * DAY_MS),
      }),
    );
    const [first, ...others] = aPairedFleet(CLUSTERS);
    const members = [aMember(one, { ...stateOf(first!), remoteSecrets }), ...others];
    const now = new Date(NOW.getTime() + 5 * DAY_MS);
    const plans = plan(members, { now });
    const renewed = plans.filter(({ action }) => action?.urgency === "due");
    expect(renewed).toHaveLength(CLUSTERS.length);
    const ofOne = renewed.find((each) => each.reader === clusterId(one!.ref));
    expect(ofOne?.target).toBe(clusterId(endsFirst.ref));
    const reserve = plans.filter(({ action }) => action?.urgency === "reserve");
    expect(reserve).toHaveLength(132 - CLUSTERS.length);
    expect(new Set(reserve.map(({ standing }) => standing))).toEqual(new Set(["current"]));
  });

  it("is renewed in time by a reader of many, with tokens of GKE and a full run every ten minutes", () => {
    const [one, ...targets] = Array.from({ length: 121 }, (_, index) => aCluster({ name: `m${index}` }));
    const held = new Map(targets.map((target) => [clusterId(target.ref), aRemoteSecret(one!, target)]));
    const issue = (id: string, now: Date) => {
      const tokenExpiresAt = new Date(now.getTime() + 2 * DAY_MS);
      held.set(id, { ...held.get(id)!, tokenIssuedAt: now, tokenExpiresAt });
    };
    for (const id of held.keys()) issue(id, NOW);
    const others = targets.map((target) => aMember(target, { readerSecrets: [aReaderSecret(one!)] }));
    const counts: number[] = [];
    for (let minutes = 24 * 60; minutes <= 36 * 60; minutes += 10) {
      const now = new Date(NOW.getTime() + minutes * 60_000);
      const members = [aMember(one, { remoteSecrets: [...held.values()] }), ...others];
      const ofReader = plan(members, { now, subjects: [clusterId(one!.ref)] }).filter(
        (pair) => pair.reader === clusterId(one!.ref),
      );
      expect(ofReader.flatMap(({ expiring }) => expiring ?? [])).toEqual([]);
      const renewed = ofReader.filter(({ action }) => action?.urgency === "due");
      counts.push(renewed.length);
      for (const { target } of renewed) issue(target, now);
    }
    expect(Math.max(...counts)).toBe(3);
    expect(counts.reduce((sum, count) => sum + count)).toBe(targets.length);
  });

  it.each([
    [5.24, 0],
    [5.26, 2],
    [8, 2],
  ])("that was not renewed after %s days is said to end (%i times)", (days, count) => {
    const plans = plan(aPairedFleet([EAST, WEST]), { now: new Date(NOW.getTime() + days * DAY_MS) });
    expect(plans.flatMap(({ expiring }) => expiring ?? []).map(({ reason }) => reason)).toEqual(
      Array.from({ length: count }, () => "TokenExpiring"),
    );
  });

  it("is said to end by a member that cannot reach what it is for", () => {
    const [east] = aPairedFleet([EAST, WEST]);
    const plans = plan([east!, anUnreachableMember(WEST)], {
      standings: { [clusterId(WEST.ref)]: "blocked" },
      now: new Date(NOW.getTime() + 6 * DAY_MS),
    });
    expect(plans.map(({ standing, expiring }) => [standing, expiring?.clusterId])).toEqual([
      ["pending", clusterId(EAST.ref)],
      ["pending", undefined],
    ]);
  });
});

describe("planPairs", () => {
  it("plans the pairs that a subject takes part in, and no others", () => {
    const clusters = ["a1", "b1", "c1"].map((name) => aCluster({ name }));
    const [first, second, third] = clusters.map(({ ref }) => clusterId(ref));
    const plans = plan(
      clusters.map((cluster) => aMember(cluster)),
      { subjects: [second!] },
    );
    expect(plans.map((each) => [each.reader, each.target])).toEqual([
      [first, second],
      [second, first],
      [second, third],
      [third, second],
    ]);
  });

  it("plans nothing for one alone", () => {
    expect(plan([aMember()])).toEqual([]);
  });

  const seen = fc.constantFrom<(cluster: Cluster, peers: readonly Cluster[]) => Member>(
    (cluster) => aMember(cluster),
    (cluster) => anUnreachableMember(cluster),
    (cluster, peers) =>
      aMember(cluster, {
        remoteSecrets: peers.map((peer) => aRemoteSecret(cluster, peer)),
        readerSecrets: peers.map((peer) => aReaderSecret(peer)),
      }),
    (cluster, peers) =>
      aMember(cluster, {
        remoteSecrets: peers.map((peer) => aRemoteSecret(cluster, peer, { owner: "foreign" })),
      }),
  );
  const seeds = fc.uniqueArray(
    fc.record({
      name: fc.stringMatching(/^[a-z]{2,8}$/),
      network: fc.constantFrom("default", "dmz"),
      vpcNative: fc.boolean(),
      seen,
      standing: fc.constantFrom<PeerStanding>("complete", "complete", "pending", "blocked", "down"),
      isSubject: fc.boolean(),
    }),
    { selector: ({ name }) => name, maxLength: 5 },
  );
  const world = seeds.map((all) => {
    const clusters = all.map(({ name, network, vpcNative }) =>
      aCluster({ name, vpcNative, network: { project: "shop", name: network } }),
    );
    const members = all.map((seed, index) => {
      const cluster = clusters[index]!;
      return seed.seen(
        cluster,
        clusters.filter((peer) => peer !== cluster),
      );
    });
    const ids = members.map((member) => member.clusterId);
    return {
      members,
      subjects: ids.filter((_, index) => all[index]?.isSubject),
      standings: Object.fromEntries(ids.map((id, index) => [id, all[index]?.standing ?? "complete"])),
    };
  });

  it("says the same whenever it is asked, and in whatever order the members come", () => {
    fc.assert(
      fc.property(world, fc.infiniteStream(fc.nat()), ({ members, ...given }, order) => {
        const keyed = members.map((member) => ({ member, key: order.next().value ?? 0 }));
        const shuffled = keyed.toSorted((a, b) => a.key - b.key).map(({ member }) => member);
        expect(plan(shuffled, given)).toEqual(plan(members, given));
      }),
    );
  });

  it("acts only where the reader is complete, the target answers, and both share a network or did", () => {
    fc.assert(
      fc.property(world, ({ members, ...given }) => {
        const byId = new Map(members.map((member) => [member.clusterId, member]));
        for (const { standing, action, ...pair } of plan(members, given)) {
          const standingOf = given.standings[pair.target] ?? "complete";
          const isUnready = standingOf !== "complete";
          const isRenewed = standing === "excluded" && action?.verb === "update";
          expect(action !== undefined && !isUnready && !isRenewed).toBe(standing === "connect");
          expect(isUnready && action?.verb === "create").toBe(false);
          const written = new Set(action?.writes.map(({ clusterId: id }) => id));
          expect(written.has(pair.target) && !["complete", "down"].includes(standingOf)).toBe(false);
          const sides = [byId.get(pair.reader), byId.get(pair.target)];
          const allowed =
            given.standings[pair.reader] === "complete" &&
            sides.every(
              (side) =>
                side?.state.reachable === true &&
                (isRenewed || (side.cluster.vpcNative && side.network === sides[0]?.network)),
            );
          expect(action === undefined || allowed).toBe(true);
        }
      }),
    );
  });

  it("is sorted JSON without key or token", () => {
    fc.assert(
      fc.property(world, ({ members, ...given }) => {
        const plans = plan(members, given);
        expect(JSON.stringify(plans)).not.toMatch(/-----BEGIN|PRIVATE KEY|eyJ|"token"|caData|https:\/\//);
        const pairs = plans.map((each) => `${each.reader} ${each.target}`);
        expect(pairs).toEqual(pairs.toSorted((a, b) => (a < b ? -1 : 1)));
      }),
    );
  });
});

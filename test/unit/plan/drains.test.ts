import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import type { Cluster } from "../../../shared/core/cluster/cluster.ts";
import { type DrainNote, newerNote } from "../../../shared/core/member/drain.ts";
import type { DrainCopy, Member } from "../../../shared/core/member/observation.ts";
import { clusterId, clusterResource, drainNoteName } from "../../../shared/core/names.ts";
import type { DrainOrder } from "../../../shared/core/request.ts";
import type { DrainAction } from "../../../shared/plan/action.ts";
import { planDrainNotes } from "../../../shared/plan/drain-notes.ts";
import { indexDrains } from "../../../shared/plan/drains.ts";
import { aCluster } from "../../support/builders/cluster.ts";
import { aMember, anUnreachableMember, aPairContext, NOW } from "../../support/builders/member.ts";
import { aSpec } from "../../support/builders/spec.ts";

const TARGET = aCluster({ name: "m0" });
const CLUSTERS = [TARGET, ...["m1", "m2", "m3"].map((name) => aCluster({ name }))];
const LATE = aCluster({ name: "m4" });
const ID = clusterId(TARGET.ref);
/** Nothing here is about how many may be drained. */
const SPEC = aSpec({ drainShare: 1 });

/** What each member has on record about the target; the model of a mesh without pairs. */
interface World {
  readonly clusters: Cluster[];
  readonly notes: Map<string, DrainNote>;
  nowMs: number;
}

function look({ clusters, notes }: World, away: ReadonlySet<string>): Member[] {
  return clusters.map((cluster) => {
    if (away.has(cluster.ref.name)) return anUnreachableMember(cluster);
    const note = notes.get(cluster.ref.name);
    return aMember(cluster, note === undefined ? {} : { drainCopies: [copyOf(note)] });
  });
}

function copyOf(note: DrainNote | undefined): DrainCopy {
  return {
    name: drainNoteName(ID),
    of: ID,
    gkeId: TARGET.id,
    resource: clusterResource(TARGET.ref),
    owner: "ours",
    uid: "1",
    resourceVersion: "1",
    note,
  };
}

/** As a run writes: a newer note that has come since the look stays. */
function write({ notes, clusters }: World, action: DrainAction): void {
  const cluster = clusters.find(({ ref }) => clusterId(ref) === action.clusterId);
  const name = cluster?.ref.name ?? "";
  const present = notes.get(name);
  if (action.kind === "dropDrainNote") notes.delete(name);
  else notes.set(name, present === undefined ? action.note : newerNote(present, action.note));
}

interface Step {
  readonly order: DrainOrder["state"] | undefined;
  readonly away: readonly string[];
  /** The run dies after so many writes. */
  readonly dies: number;
  readonly skewMs: number;
  readonly joins: boolean;
}

function run(world: World, { order, away, dies, skewMs, joins }: Step): void {
  if (joins && !world.clusters.includes(LATE)) world.clusters.push(LATE);
  world.nowMs += 60_000;
  const members = look(world, new Set(away));
  const drain = order && { clusterId: ID, state: order, by: "ann", reason: "" };
  const now = new Date(world.nowMs + skewMs);
  const drains = indexDrains(members, { spec: SPEC, confirm: ["MassDrain"], drain, now });
  const { actions } = planDrainNotes(aPairContext(members, { spec: SPEC, drains, now }), []);
  for (const action of actions.slice(0, dies)) {
    write(world, action);
  }
}

const step: fc.Arbitrary<Step> = fc.record({
  order: fc.option(fc.constantFrom("drained", "serving"), { nil: undefined }),
  away: fc.subarray(["m0", "m1", "m2", "m3", "m4"]),
  dies: fc.nat({ max: 5 }),
  skewMs: fc.constantFrom(0, 0, 3_600_000, -3_600_000),
  joins: fc.boolean(),
});
const QUIET: Step = { order: undefined, away: [], dies: 9, skewMs: 0, joins: false };

function aWorld(): World {
  return { clusters: [...CLUSTERS], notes: new Map(), nowMs: NOW.getTime() };
}

/** By the word of all members. */
function isDrained(world: World): boolean {
  return indexDrains(look(world, new Set()), {
    spec: SPEC,
    confirm: [],
    now: new Date(world.nowMs),
  }).isDrained(ID);
}

describe("the register of drains", () => {
  it("ends in one state after any steps, the one of the newest note that stands, and then rests", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 12 }), (steps) => {
        const world = aWorld();
        for (const each of steps) run(world, each);
        const held = isDrained(world);
        run(world, QUIET);
        run(world, QUIET);
        const states = new Set([...world.notes.values()].map(({ state }) => state));
        expect([...states]).toEqual(held ? ["drained"] : []);
        expect(world.notes.size).toBe(held ? world.clusters.length : 0);
        const before = JSON.stringify([...world.notes]);
        run(world, QUIET);
        expect(JSON.stringify([...world.notes])).toBe(before);
      }),
    );
  });

  it("changes by orders alone: no run forgets a drain or brings one back, whoever it did not see", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 12 }), (steps) => {
        const world = aWorld();
        for (const each of steps) {
          const before = isDrained(world);
          run(world, each);
          expect([before, each.order === undefined ? before : each.order === "drained"]).toContain(
            isDrained(world),
          );
        }
      }),
    );
  });

  it("obeys the last order, whatever clocks wrote the notes before", () => {
    fc.assert(
      fc.property(
        fc.array(step, { maxLength: 8 }),
        fc.constantFrom("drained" as const, "serving" as const),
        (steps, order) => {
          const world = aWorld();
          for (const each of steps) run(world, each);
          run(world, { ...QUIET, order });
          expect(isDrained(world)).toBe(order === "drained");
        },
      ),
    );
  });

  it("does not depend on the sequence of the members", () => {
    fc.assert(
      fc.property(
        fc.array(step, { maxLength: 6 }),
        fc.shuffledSubarray([0, 1, 2, 3], { minLength: 4 }),
        (steps, order) => {
          const world = aWorld();
          for (const each of steps) run(world, { ...each, joins: false });
          const members = look(world, new Set());
          const shuffled = order.flatMap((index) => members[index] ?? []);
          const context = { spec: SPEC, confirm: [], now: NOW };
          expect(indexDrains(shuffled, context).of(ID)).toEqual(indexDrains(members, context).of(ID));
        },
      ),
    );
  });
});

describe("a mass drain", () => {
  const order = (name: string): DrainOrder => ({
    clusterId: clusterId(aCluster({ name }).ref),
    state: "drained",
    by: "ann",
    reason: "",
  });
  const drained = (cluster: Cluster, ...names: readonly string[]): Member =>
    aMember(cluster, {
      drainCopies: names.map((name) => {
        const of = aCluster({ name });
        const note = { state: "drained", since: NOW, by: "ann", reason: "" } as const;
        return { ...copyOf(note), of: clusterId(of.ref), gkeId: of.id };
      }),
    });
  const network = (name: string) => ({ network: { project: "shop", name } });

  it.each<[string, readonly Member[], string, boolean]>([
    ["one of four", CLUSTERS.map((each) => aMember(each)), "m1", false],
    ["two of four", CLUSTERS.map((each) => drained(each, "m2")), "m1", false],
    ["three of four", CLUSTERS.map((each) => drained(each, "m2", "m3")), "m1", true],
    ["the only one", [aMember(aCluster({ name: "m1" }))], "m1", true],
    [
      "the last that answers",
      [aMember(aCluster({ name: "m1" })), ...CLUSTERS.slice(2).map((each) => anUnreachableMember(each))],
      "m1",
      true,
    ],
    [
      "a dead one",
      [anUnreachableMember(aCluster({ name: "m1" })), ...CLUSTERS.slice(2).map((each) => aMember(each))],
      "m1",
      false,
    ],
    [
      "the last of its network",
      [
        aMember(aCluster({ name: "m1", ...network("dmz") })),
        ...CLUSTERS.slice(2).map((each) => aMember(each)),
      ],
      "m1",
      true,
    ],
  ])("is that of %s", (_, members, name, isMass) => {
    const context = { spec: aSpec(), confirm: [], drain: order(name), now: NOW };
    const drains = indexDrains(members, context);
    expect([drains.mass !== undefined, drains.isDrained(order(name).clusterId)]).toEqual([isMass, !isMass]);
    const confirmed = indexDrains(members, { ...context, confirm: ["MassDrain"] });
    expect([confirmed.mass, confirmed.isDrained(order(name).clusterId)]).toEqual([undefined, true]);
  });
});

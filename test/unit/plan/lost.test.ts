import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { clusterId } from "../../../shared/core/names.ts";
import { planDepartures } from "../../../shared/plan/departures.ts";
import { aCluster } from "../../support/builders/cluster.ts";
import { aPairedFleet, NOW } from "../../support/builders/member.ts";
import { aSpec } from "../../support/builders/spec.ts";

const GRACE = 60;
const SHARE = 0.5;
/** Minutes. */
const LOSSES_END = 240;
const RUNS_END = LOSSES_END + 3 * GRACE;

const spec = aSpec({ leaveGrace: GRACE * 60, massLeaveShare: SHARE });
const CLUSTERS = Array.from({ length: 7 }, (_, index) => aCluster({ name: `m${index + 1}` }));
const at = (minute: number) => new Date(NOW.getTime() + minute * 60_000);

interface Losses {
  /** By cluster, the minute at which its label goes; undefined: never. */
  readonly lostAt: readonly (number | undefined)[];
  /** Minutes between two full runs. */
  readonly pause: number;
}

/** Full runs over a mesh that loses labels: by cluster, the minute at which its credentials go. */
function removals({ lostAt, pause }: Losses): Map<number, number> {
  const fleet = aPairedFleet(CLUSTERS.slice(0, lostAt.length));
  const since = new Map<number, Date>();
  const gone = new Map<number, number>();
  for (let minute = 0; minute <= RUNS_END; minute += pause) {
    const isLost = (index: number) => (lostAt[index] ?? Number.POSITIVE_INFINITY) <= minute;
    const there = fleet.map((_, index) => index).filter((index) => !gone.has(index));
    const lost = there.filter(isLost);
    const { findings } = planDepartures({
      members: fleet.filter((_, index) => there.includes(index) && !isLost(index)),
      departures: lost.map((index) => ({
        departed: {
          clusterId: fleet[index]!.clusterId,
          ref: CLUSTERS[index]!.ref,
          lostSince: since.get(index),
        },
        absence: { certainty: "assumed", runsOn: true, why: "of the test", cure: "none" },
      })),
      leavers: [],
      unasked: [],
      spec,
      only: undefined,
      confirm: [],
      leaving: [],
      now: at(minute),
    });
    const kept = findings.filter(({ reason }) => reason === "MemberLost").map((each) => each.clusterId);
    for (const index of lost) {
      if (kept.includes(clusterId(CLUSTERS[index]!.ref))) since.set(index, since.get(index) ?? at(minute));
      else gone.set(index, minute);
    }
  }
  return gone;
}

const losses = fc.record<Losses>({
  lostAt: fc.array(fc.option(fc.integer({ min: 0, max: LOSSES_END }), { nil: undefined }), {
    minLength: 1,
    maxLength: CLUSTERS.length,
  }),
  pause: fc.integer({ min: 1, max: 2 * GRACE }),
});

describe("labels that are lost at any times", () => {
  it("cost no member its credentials before its grace is over, and never the last", () => {
    fc.assert(
      fc.property(losses, (given) => {
        const gone = removals(given);
        for (const [index, minute] of gone)
          expect(minute - (given.lostAt[index] ?? 0)).toBeGreaterThanOrEqual(GRACE);
        expect(gone.size).toBeLessThan(given.lostAt.length);
      }),
    );
  });

  it("are one mass leave if less than a grace lies between them", () => {
    fc.assert(
      fc.property(losses, (given) => {
        const gone = removals(given);
        for (const start of given.lostAt.flatMap((minute) => minute ?? [])) {
          const together = given.lostAt.flatMap((minute, index) =>
            minute !== undefined && minute >= start && minute < start + GRACE ? [index] : [],
          );
          const members = given.lostAt.filter((_, index) => (gone.get(index) ?? RUNS_END) >= start).length;
          const isMass = together.length > 1 && together.length > SHARE * members;
          expect(isMass ? together.filter((index) => gone.has(index)) : []).toEqual([]);
        }
      }),
    );
  });

  it("take out each that is lost alone", () => {
    expect(removals({ lostAt: [0, 61, 122, undefined], pause: 1 })).toEqual(
      new Map([
        [0, 60],
        [1, 121],
        [2, 182],
      ]),
    );
  });
});

import { describe, expect, it } from "@jest/globals";
import { gapsOf, ownerOfGap, pairsOfGap } from "../../../../functions/sync-mesh/page/facts/gaps.ts";
import {
  type OrderedPair,
  orderedPairsOf,
  type PairState,
} from "../../../../functions/sync-mesh/page/facts/pairs.ts";
import { aStatus } from "../../../support/builders/status.ts";

/** All pairs of so many members, named 0, 1, …; all synced but those that are told. */
function pairs(
  members: number,
  stateOf: (reader: number, target: number) => PairState | undefined,
): OrderedPair[] {
  const ids = Array.from({ length: members }, (_, index) => index);
  return ids.flatMap((reader) =>
    ids
      .filter((target) => target !== reader)
      .map((target) => ({
        reader: String(reader),
        target: String(target),
        probe: { state: "none" as const },
        route: "direct",
        state: stateOf(reader, target) ?? "synced",
        pods: [],
        tokenExpiry: undefined,
      })),
  );
}

function told(all: readonly OrderedPair[]): string[] {
  return gapsOf(all).map((gap) => {
    if (gap.kind === "pair") return `${gap.pair.reader} → ${gap.pair.target}`;
    return gap.kind === "reader"
      ? `${gap.clusterId} → all ${gap.pairs.length}`
      : `all ${gap.pairs.length} → ${gap.clusterId}`;
  });
}

describe("gaps", () => {
  it("are none where all is synced", () => {
    expect(told(pairs(5, () => undefined))).toEqual([]);
  });

  it("are told pair by pair, the worst first", () => {
    const all = pairs(5, (reader, target) => {
      if (target !== reader + 1) return undefined;
      return reader === 2 ? "missing" : "syncing";
    });
    expect(told(all)).toEqual(["2 → 3", "0 → 1", "1 → 2", "3 → 4"]);
  });

  it("are one for a member that reads nobody, and one for one that nobody reads", () => {
    const all = pairs(5, (reader, target) => {
      if (reader === 4) return "unknown";
      if (target === 4) return "timeout";
      return reader === 0 && target === 1 ? "closed" : undefined;
    });
    expect(told(all)).toEqual(["4 → all 4", "all 4 → 4", "0 → 1"]);
  });

  it("are told one by one while there are few", () => {
    expect(told(pairs(2, (reader) => (reader === 1 ? "unknown" : undefined)))).toEqual(["1 → 0"]);
  });

  it("of the one member of three that nobody reads are one", () => {
    expect(told(pairs(3, (_, target) => (target === 2 ? "closed" : undefined)))).toEqual(["all 2 → 2"]);
  });

  it("belong to the member that reads nobody, that nobody reads, or else that does not read", () => {
    const all = pairs(4, (reader, target) => {
      if (target === 3) return "closed";
      return reader === 0 && target === 1 ? "missing" : undefined;
    });
    expect(gapsOf(all).map(ownerOfGap)).toEqual(["3", "0"]);
  });

  it("cover every pair that is not synced, once", () => {
    const all = orderedPairsOf(aStatus({ members: 60, troubled: true }));
    const covered = gapsOf(all).flatMap(pairsOfGap);
    expect(new Set(covered)).toEqual(new Set(all.filter(({ state }) => state !== "synced")));
    expect(covered).toHaveLength(new Set(covered).size);
  });
});

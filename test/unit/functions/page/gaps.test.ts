import { describe, expect, it } from "@jest/globals";
import {
  type Connection,
  connectionsOf,
  type State,
} from "../../../../functions/sync-mesh/page/facts/connections.ts";
import { gapsOf } from "../../../../functions/sync-mesh/page/facts/gaps.ts";
import { aStatus } from "../../../support/builders/status.ts";

/** All pairs of so many members, named 0, 1, …; all synced but those that are told. */
function connections(
  members: number,
  stateOf: (reader: number, target: number) => State | undefined,
): Connection[] {
  const ids = Array.from({ length: members }, (_, index) => index);
  return ids.flatMap((reader) =>
    ids
      .filter((target) => target !== reader)
      .map((target) => ({
        reader: String(reader),
        target: String(target),
        state: stateOf(reader, target) ?? "synced",
        pods: [],
        tokenExpiry: undefined,
      })),
  );
}

function told(all: readonly Connection[]): string[] {
  return gapsOf(all).map((gap) => {
    if (gap.kind === "pair") return `${gap.connection.reader} → ${gap.connection.target}`;
    return gap.kind === "reader"
      ? `${gap.clusterId} → all ${gap.connections.length}`
      : `all ${gap.connections.length} → ${gap.clusterId}`;
  });
}

describe("gaps", () => {
  it("are none where all is synced", () => {
    expect(told(connections(5, () => undefined))).toEqual([]);
  });

  it("are told pair by pair, the worst first", () => {
    const all = connections(5, (reader, target) => {
      if (target !== reader + 1) return undefined;
      return reader === 2 ? "missing" : "syncing";
    });
    expect(told(all)).toEqual(["2 → 3", "0 → 1", "1 → 2", "3 → 4"]);
  });

  it("are one for a member that reads nobody, and one for one that nobody reads", () => {
    const all = connections(5, (reader, target) => {
      if (reader === 4) return "unknown";
      if (target === 4) return "timeout";
      return reader === 0 && target === 1 ? "closed" : undefined;
    });
    expect(told(all)).toEqual(["4 → all 4", "all 4 → 4", "0 → 1"]);
  });

  it("are told one by one while there are few", () => {
    expect(told(connections(3, (reader) => (reader === 2 ? "unknown" : undefined)))).toEqual([
      "2 → 0",
      "2 → 1",
    ]);
  });

  it("cover every pair that is not synced, once", () => {
    const all = connectionsOf(aStatus({ members: 60, troubled: true }));
    const covered = gapsOf(all).flatMap((gap) => (gap.kind === "pair" ? gap.connection : gap.connections));
    expect(new Set(covered)).toEqual(new Set(all.filter(({ state }) => state !== "synced")));
    expect(covered).toHaveLength(new Set(covered).size);
  });
});

import { wantedPairs } from "../../shared/core/answers/drained.ts";
import type { PairStatus, Status } from "../../shared/core/answers/status.ts";
import type { Colour } from "../paint.ts";
import type { Names, Screen } from "../screen.ts";
import { renderFittedTable } from "./fitted-table.ts";
import { someOf } from "./words.ts";

/**
 * Groups pairs of the same trouble: one unreachable member breaks a pair of every other one. A pair goes with
 * its reader or with its target: the one with more such pairs.
 */
export function openPairsTable(status: Status, { paint, width }: Screen, names: Names): string {
  const open = wantedPairs(status).filter((pair) => pair.status !== "synced");
  const byReader = Map.groupBy(open, readerKey);
  const byTarget = Map.groupBy(open, targetKey);
  const sizeOf = (group: readonly PairStatus[] | undefined) => group?.length ?? 0;
  const groups = Map.groupBy(open, (pair) =>
    sizeOf(byTarget.get(targetKey(pair))) > sizeOf(byReader.get(readerKey(pair)))
      ? targetKey(pair)
      : readerKey(pair),
  );
  const rows = [...groups.values()].flatMap((group) => {
    const [first] = group;
    if (first === undefined) return [];
    const named = (side: "reader" | "target") => someOf([...new Set(group.map((pair) => names(pair[side])))]);
    return [[paint(colourOf(first.status), first.status), named("reader"), named("target")]];
  });
  return rows.length === 0 ? "" : renderFittedTable(["NOT SYNCED", "READERS", "TARGETS"], rows, { width });
}

function colourOf(status: PairStatus["status"]): Colour {
  return status === "syncing" || status === "unknown" ? "yellow" : "red";
}

function readerKey({ status, reader }: PairStatus): string {
  return `${status} by ${reader}`;
}

function targetKey({ status, target }: PairStatus): string {
  return `${status} of ${target}`;
}

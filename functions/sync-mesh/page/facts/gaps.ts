import { isSynced, isWanted, type OrderedPair, WORST_FIRST } from "./pairs.ts";

/**
 * A part of the mesh that is not synced, as short as possible: a member that reads no peer is one gap, not
 * one for each of its targets.
 */
export type Gap =
  | { readonly kind: "reader"; readonly clusterId: string; readonly pairs: readonly OrderedPair[] }
  | { readonly kind: "target"; readonly clusterId: string; readonly pairs: readonly OrderedPair[] }
  | { readonly kind: "pair"; readonly pair: OrderedPair };

/** Fewer pairs are listed one by one. */
const MANY = 2;

function lost(pairs: readonly OrderedPair[], end: "reader" | "target"): Gap[] {
  return [...Map.groupBy(pairs, (pair) => pair[end])]
    .filter(([, group]) => group.length >= MANY && !group.some(isSynced))
    .map(([clusterId, group]) => ({ kind: end, clusterId, pairs: group }));
}

/**
 * Readers that read no peer, targets that none of the other readers reads, then the remaining pairs, the
 * worst first. Every pair that should be and is not synced is in one of them.
 */
export function gapsOf(all: readonly OrderedPair[]): Gap[] {
  const pairs = all.filter(isWanted);
  const readers = lost(pairs, "reader");
  const ofLostReaders = new Set(readers.flatMap(pairsOfGap));
  const targets = lost(
    pairs.filter((pair) => !ofLostReaders.has(pair)),
    "target",
  );
  const covered = new Set([...readers, ...targets].flatMap(pairsOfGap));
  const rest = pairs
    .filter((pair) => !isSynced(pair) && !covered.has(pair))
    .toSorted((a, b) => WORST_FIRST.indexOf(a.state) - WORST_FIRST.indexOf(b.state))
    .map((pair): Gap => ({ kind: "pair", pair }));
  return [...readers, ...targets, ...rest];
}

export function pairsOfGap(gap: Gap): readonly OrderedPair[] {
  return gap.kind === "pair" ? [gap.pair] : gap.pairs;
}

/** The member whose trouble it is: of a single pair the reader, whose istiod does not read. */
export function ownerOfGap(gap: Gap): string {
  return gap.kind === "pair" ? gap.pair.reader : gap.clusterId;
}

import { type Connection, WORST_FIRST } from "./connections.ts";

/**
 * A part of the mesh that is not synced, as short as possible: a member that reads no peer is one gap, not
 * one for each of its targets.
 */
export type Gap =
  | { readonly kind: "reader"; readonly clusterId: string; readonly connections: readonly Connection[] }
  | { readonly kind: "target"; readonly clusterId: string; readonly connections: readonly Connection[] }
  | { readonly kind: "pair"; readonly connection: Connection };

/** Fewer pairs are listed one by one. */
const MANY = 3;

function isSynced({ state }: Connection): boolean {
  return state === "synced";
}

function lost(connections: readonly Connection[], end: "reader" | "target"): Gap[] {
  return [...Map.groupBy(connections, (connection) => connection[end])]
    .filter(([, group]) => group.length >= MANY && !group.some(isSynced))
    .map(([clusterId, group]) => ({ kind: end, clusterId, connections: group }));
}

/** Readers that read no peer, targets that no peer reads, then the remaining pairs, the worst first. */
export function gapsOf(connections: readonly Connection[]): Gap[] {
  const readers = lost(connections, "reader");
  const targets = lost(connections, "target");
  const covered = new Set(
    [...readers, ...targets].flatMap((gap) => (gap.kind === "pair" ? [] : gap.connections)),
  );
  const pairs = connections
    .filter((connection) => !isSynced(connection) && !covered.has(connection))
    .toSorted((a, b) => WORST_FIRST.indexOf(a.state) - WORST_FIRST.indexOf(b.state))
    .map((connection): Gap => ({ kind: "pair", connection }));
  return [...readers, ...targets, ...pairs];
}

import { type Connection, WORST_FIRST } from "./connections.ts";

/**
 * Something that is not synced, told as shortly as it can be: a member that reads nobody is one gap and not one for each
 * of its targets.
 */
export type Gap =
  | { readonly kind: "reader"; readonly clusterId: string; readonly connections: readonly Connection[] }
  | { readonly kind: "target"; readonly clusterId: string; readonly connections: readonly Connection[] }
  | { readonly kind: "pair"; readonly connection: Connection };

/** Fewer pairs are told one by one. */
const MANY = 3;

function isSynced({ state }: Connection): boolean {
  return state === "synced";
}

function lost(connections: readonly Connection[], end: "reader" | "target"): Gap[] {
  return [...Map.groupBy(connections, (connection) => connection[end])]
    .filter(([, group]) => group.length >= MANY && !group.some(isSynced))
    .map(([clusterId, group]) => ({ kind: end, clusterId, connections: group }));
}

/** Readers that read nobody, targets that nobody reads, then what is left pair by pair, the worst first. */
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

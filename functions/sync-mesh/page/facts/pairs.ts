import { drainedIds, silentDrainedIds } from "../../../../shared/core/answers/drained.ts";
import { PAIR_STATUSES, type PairStatus, type Status } from "../../../../shared/core/answers/status.ts";
import { latencyWords } from "../../../../shared/core/time.ts";

/**
 * As istiod has it; `pending`: it is not synced, and a side is not ready for it yet; `failing`: it is synced,
 * and a request of the reader's probe did not pass; `drained`: the target is drained, so there is no pair, or
 * the reader is, and does not answer, so nobody waits for it.
 */
export type PairState = PairStatus["status"] | "pending" | "failing" | "drained";

/** One ordered pair over all istiod pods of its reader. */
export interface OrderedPair {
  readonly reader: string;
  readonly target: string;
  readonly route: PairStatus["route"];
  /** The worst of all pods: a request may meet any of them. */
  readonly state: PairState;
  readonly pods: readonly PodOfPair[];
  readonly probe: PairStatus["probe"];
  /** The first expiry of its tokens; undefined if Meshjoin has seen none. */
  readonly tokenExpiry: string | undefined;
}

export interface PodOfPair {
  /** Empty where no pod is Ready, or none was seen. */
  readonly pod: string;
  readonly state: PairState;
}

/**
 * In the order in which an operator must hear of them. `failing` was tried; `missing` and `closed` serve no
 * endpoint, `timeout` may serve a part of them, `unknown` may be any of these; `pending` and `syncing` end by
 * themselves; `drained` is meant.
 */
export const WORST_FIRST: readonly PairState[] = [
  "failing",
  "missing",
  "closed",
  "timeout",
  "unknown",
  "pending",
  "syncing",
  "drained",
  "synced",
];

const APART: readonly PairState[] = ["failing", "missing", "closed", "timeout"];

/** Requests from the reader to the target may fail. */
export function isApart({ state }: OrderedPair): boolean {
  return APART.includes(state);
}

export function isSynced({ state }: OrderedPair): boolean {
  return state === "synced";
}

/** It should be. */
export function isWanted({ state }: OrderedPair): boolean {
  return state !== "drained";
}

/** What was not seen is not known; the word `unknown` could pass for a state of istiod. */
export function stateWord(state: PairState): string {
  if (state === "failing") return "requests fail";
  return state === "unknown" ? "not known" : state;
}

/** Undefined where no probe was asked to. */
export function answerWords({ state, latencyMs, cause }: PairStatus["probe"]): string | undefined {
  if (state === "passed")
    return latencyMs === undefined ? "a request passed" : `a request passed in ${latencyWords(latencyMs)}`;
  if (state === "failed") return `a request did not pass${cause === undefined ? "" : ` (${cause})`}`;
  if (state === "unknown")
    return `whether requests pass is not known${cause === undefined ? "" : ` (${cause})`}`;
  return undefined;
}

const WAYS: Readonly<Record<PairStatus["route"], string>> = {
  direct: "",
  gateway: "; requests pass a gateway",
  none: "; requests have no way",
};

/** `catalog reads search: synced; requests pass a gateway` */
export function sentenceOfPair(
  { reader, target, state, route, probe }: OrderedPair,
  nameOf: (clusterId: string) => string,
  where = "",
): string {
  const answer = answerWords(probe);
  const asked = answer === undefined ? "" : `; ${answer}`;
  return `${nameOf(reader)} reads ${nameOf(target)}: ${stateWord(state)}${where}${WAYS[route]}${asked}`;
}

export function isThroughGateway({ route }: OrderedPair): boolean {
  return route === "gateway";
}

export function worstPairState(states: Iterable<PairState>): PairState {
  const all = new Set(states);
  return WORST_FIRST.find((state) => all.has(state)) ?? "unknown";
}

interface Aside {
  readonly targets: ReadonlySet<string>;
  readonly readers: ReadonlySet<string>;
}

function stateOf({ status, isDue, probe, reader, target }: PairStatus, aside: Aside): PairState {
  if (aside.targets.has(target) || aside.readers.has(reader)) return "drained";
  if (status === "synced") return probe.state === "failed" ? "failing" : status;
  return isDue || status === "unknown" ? status : "pending";
}

function earliest(times: readonly (string | null)[]): string | undefined {
  const dates = times.flatMap((time) => time ?? []);
  return dates.length < 2 ? dates[0] : dates.toSorted((a, b) => Date.parse(a) - Date.parse(b))[0];
}

/** Between members only, in the order of the status. */
export function orderedPairsOf({ members, pairs }: Status): OrderedPair[] {
  const aside: Aside = { targets: drainedIds(members), readers: silentDrainedIds(members) };
  const ids = new Set(members.map(({ clusterId }) => clusterId));
  const between = pairs.filter(({ reader, target }) => ids.has(reader) && ids.has(target));
  const byPair = Map.groupBy(between, ({ reader, target }) => JSON.stringify([reader, target]));
  return [...byPair.values()].flatMap((rows) => {
    const [first] = rows;
    if (first === undefined) return [];
    return {
      reader: first.reader,
      target: first.target,
      route: first.route,
      probe: first.probe,
      state: worstPairState(rows.map((row) => stateOf(row, aside))),
      pods: rows.map((row) => ({ pod: row.pod, state: stateOf(row, aside) })),
      tokenExpiry: earliest(rows.map(({ tokenExpiry }) => tokenExpiry)),
    };
  });
}

export type Tally = Readonly<Record<PairState, number>>;

export function countByState(pairs: readonly OrderedPair[]): Tally {
  const counts = [...PAIR_STATUSES, "pending" as const, "failing" as const, "drained" as const].map(
    (state) => [state, pairs.filter((pair) => pair.state === state).length],
  );
  return Object.fromEntries(counts);
}

/** `timeout 40, closed 19`: the worst first, without synced pairs. */
export function describeTally(counts: Tally): string {
  return WORST_FIRST.filter((state) => state !== "synced" && counts[state] > 0)
    .map((state) => `${stateWord(state)} ${counts[state]}`)
    .join(", ");
}

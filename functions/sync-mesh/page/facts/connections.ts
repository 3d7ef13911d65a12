import { PAIR_STATUSES, type PairStatus, type Status } from "../../../../shared/core/answers/status.ts";

export type State = PairStatus["status"];

/** One ordered pair over all istiod pods of its reader. */
export interface Connection {
  readonly reader: string;
  readonly target: string;
  /** The worst of all pods: a request may meet any of them. */
  readonly state: State;
  readonly pods: readonly PairStatus[];
  /** The first expiry of its tokens; undefined if it has none. */
  readonly tokenExpiry: string | undefined;
}

/**
 * In the order in which an operator must hear of them. `missing` and `closed` serve no endpoint, `timeout`
 * may serve a part of them, `unknown` may be any of these, and `syncing` ends by itself.
 */
export const WORST_FIRST: readonly State[] = ["missing", "closed", "timeout", "unknown", "syncing", "synced"];

export function worstPairState(states: Iterable<State>): State {
  const all = new Set(states);
  return WORST_FIRST.find((state) => all.has(state)) ?? "unknown";
}

function earliest(times: readonly (string | null)[]): string | undefined {
  const dates = times.flatMap((time) => time ?? []);
  return dates.length < 2 ? dates[0] : dates.toSorted((a, b) => Date.parse(a) - Date.parse(b))[0];
}

/** Between members only, in the order of the status. */
export function connectionsOf({ members, pairs }: Status): Connection[] {
  const ids = new Set(members.map(({ clusterId }) => clusterId));
  const between = pairs.filter(({ reader, target }) => ids.has(reader) && ids.has(target));
  const byPair = Map.groupBy(between, ({ reader, target }) => JSON.stringify([reader, target]));
  return [...byPair.values()].flatMap((pods) => {
    const [first] = pods;
    if (first === undefined) return [];
    return {
      reader: first.reader,
      target: first.target,
      state: worstPairState(pods.map(({ status }) => status)),
      pods,
      tokenExpiry: earliest(pods.map(({ tokenExpiry }) => tokenExpiry)),
    };
  });
}

export type Tally = Readonly<Record<State, number>>;

export function countByState(connections: readonly Connection[]): Tally {
  const counts = PAIR_STATUSES.map((state) => [
    state,
    connections.filter((connection) => connection.state === state).length,
  ]);
  return Object.fromEntries(counts);
}

/** `timeout 40, closed 19`: the worst first, without synced pairs. */
export function describeTally(counts: Tally): string {
  return WORST_FIRST.filter((state) => state !== "synced" && counts[state] > 0)
    .map((state) => `${state} ${counts[state]}`)
    .join(", ");
}

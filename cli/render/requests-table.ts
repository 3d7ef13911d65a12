import type { PairStatus, Status } from "../../shared/core/answers/status.ts";
import { latencyWords } from "../../shared/core/time.ts";
import type { Names, Screen } from "../screen.ts";
import { PROBE_COLOURS } from "./checked.ts";
import { renderFittedTable } from "./fitted-table.ts";
import { someOf } from "./words.ts";

type State = PairStatus["probe"]["state"];

/** The worst first. */
const ORDER: readonly State[] = ["failed", "unknown", "passed"];

/**
 * What the probes say, for each state and cause: the readers, their targets, and the times of requests that
 * passed. Empty where the configuration keeps no probes.
 */
export function requestsTable({ pairs }: Status, { paint, width }: Screen, names: Names): string {
  const asked = pairs.filter(({ probe: { state } }) => ORDER.includes(state));
  const groups = Map.groupBy(asked, ({ probe: { state, cause = "" } }) => `${state} ${cause}`);
  const rows = [...groups.values()]
    .flatMap((group) => {
      const [first] = group;
      return first === undefined ? [] : { ...first.probe, group };
    })
    .toSorted((a, b) => ORDER.indexOf(a.state) - ORDER.indexOf(b.state))
    .map(({ state, cause, group }) => {
      const named = (side: "reader" | "target") =>
        someOf([...new Set(group.map((pair) => names(pair[side])))]);
      return [paint(PROBE_COLOURS[state], state), cause ?? timesOf(group), named("reader"), named("target")];
    });
  return rows.length === 0
    ? ""
    : renderFittedTable(["REQUESTS", "CAUSE OR TIME", "FROM", "TO"], rows, { width, keep: 2 });
}

/** `1.4 ms to 38 ms` */
function timesOf(group: readonly PairStatus[]): string {
  const times = group.flatMap(({ probe }) => probe.latencyMs ?? []);
  if (times.length === 0) return "";
  const [least, most] = [Math.min(...times), Math.max(...times)].map(latencyWords);
  return least === most ? `${least}` : `${least} to ${most}`;
}

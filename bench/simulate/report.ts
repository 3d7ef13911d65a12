import { renderTable } from "../../shared/table.ts";
import { atMost, cell, type Target } from "../target.ts";
import type { Simulated } from "./measure.ts";
import { MEMORY_LIMIT } from "./world.ts";

/** The limits of one process, at the size that it must manage. */
const LARGEST = 250;
const LIMITS = { cpuMs: 10_000, requests: 6, planMs: 500, joinMs: 60_000 };

/** For people. */
export function renderSimulated(sizes: readonly Simulated[]): string {
  const head = [
    "N",
    "full run",
    "CPU",
    "target",
    "requests",
    "target",
    "port-forwards",
    "planning",
    "target",
    "in churn",
    "join",
    "target",
    "intermediates",
    "root stage",
    "at once",
    "connections",
    "memory",
    "target",
    "loop away",
  ];
  const rows = sizes.map((size) => {
    const isLargest = size.members >= LARGEST;
    const target = (limit: number, value: number, unit = "") =>
      isLargest ? cell(atMost(limit, value, unit)) : "";
    return [
      String(size.members),
      seconds(size.fullRunMs),
      seconds(size.fullRunCpuMs),
      target(LIMITS.cpuMs / 1000, size.fullRunCpuMs / 1000, " s"),
      String(size.requestsPerMember),
      target(LIMITS.requests, size.requestsPerMember),
      String(size.portForwardsPerMember),
      seconds(size.planMs),
      target(LIMITS.planMs / 1000, size.planMs / 1000, " s"),
      seconds(size.churnRunMs),
      seconds(size.joinMs),
      target(LIMITS.joinMs / 1000, (size.joinMs ?? Number.POSITIVE_INFINITY) / 1000, " s"),
      seconds(size.rotationMs),
      seconds(size.stageMs),
      String(size.portForwardsMost),
      String(size.connectionsMost),
      `${size.rssMiB} MiB`,
      cell(memoryTarget(size)),
      `${size.loopDelayMs} ms`,
    ];
  });
  return `N simulated members, 30 ms away, and one process that may have ${MEMORY_LIMIT} MiB

${renderTable(head, rows)}

full run       of a whole mesh; CPU: of the process, for that run
requests       to API servers, for each member, in that run; port-forwards to istiods are counted beside them
planning       alone, after the look: CPU of one thread
in churn       a full run while one member in fifty accepts connections and sends nothing, and each of the others has
               one token that is due for renewal
join           of one more, in the same churn, until all its pairs are synced; "none": not all were
intermediates  all runs until every member serves another one
root stage     from the order for a new root until every member trusts it, too
at once        the most port-forwards; connections: the most of all kinds; both over all measurements, as the members see
               them: a closing connection counts until it is gone
memory         the peak of resident memory
loop away      the longest delay of the event loop`;
}

function memoryTarget({ rssMiB }: Simulated): Target {
  return atMost(MEMORY_LIMIT, rssMiB, " MiB");
}

/** Whether the process needed more memory than it may have. */
export function isTooLarge(size: Simulated): boolean {
  return !memoryTarget(size).met;
}

function seconds(ms: number | null): string {
  return ms === null ? "none" : `${(ms / 1000).toFixed(1)} s`;
}

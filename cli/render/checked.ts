import { count } from "../../shared/core/count.ts";
import { latencyWords } from "../../shared/core/time.ts";
import type { ProbedPair } from "../../shared/probe/ask-probes.ts";
import { renderTable } from "../../shared/table.ts";
import type { CheckResult } from "../commands/check.ts";
import type { Colour } from "../paint.ts";
import type { Names, Screen } from "../screen.ts";
import { renderContexts } from "./contexts.ts";
import { renderFittedTable } from "./fitted-table.ts";

type State = ProbedPair["probe"]["state"];

export const PROBE_COLOURS: Readonly<Record<State, Colour>> = {
  passed: "green",
  failed: "red",
  unknown: "yellow",
  none: "yellow",
  absentOnPurpose: "dim",
};
const WORDS: Readonly<Record<State, string>> = {
  passed: "passed",
  failed: "FAILED",
  unknown: "not asked",
  none: "not asked",
  absentOnPurpose: "no pair",
};

export function renderChecked(result: CheckResult, screen: Screen, names: Names): string {
  const { pairs, keptUntil, left, findings } = result;
  const kept = keptUntil === null ? [] : [`The probes stay until ${keptUntil}.`];
  const parts = [
    verdict(pairs),
    pairs.length === 0 ? "" : screen.isWide ? list(pairs, screen) : matrix(pairs, screen, names),
    troubles(pairs, names),
    ...findings.map(({ message, cure }) => `${message}${cureLine(cure)}`),
    ...left.map(({ message, cure }) => `A probe is still there: ${message}${cureLine(cure)}`),
    renderContexts([...pairs.map(({ probe }) => probe), ...findings, ...left].map(({ cure = "" }) => cure)),
    ...kept,
  ];
  return parts.filter((part) => part !== "").join("\n\n");
}

function verdict(pairs: readonly ProbedPair[]): string {
  if (pairs.length === 0) return "NOTHING ASKED: there is no pair of members";
  const of = (...states: readonly State[]) =>
    pairs.filter(({ probe }) => states.includes(probe.state)).length;
  const [passed, failed, unasked, apart] = [
    of("passed"),
    of("failed"),
    of("unknown", "none"),
    of("absentOnPurpose"),
  ];
  const parts = [
    ...(failed === 0 ? [] : [`${failed} failed`]),
    ...(unasked === 0 ? [] : [`${unasked} could not be asked`]),
    ...(apart === 0 ? [] : [`${apart} absent on purpose`]),
  ];
  const head = failed > 0 ? "FAILED" : unasked > 0 ? "NOT ALL ASKED" : "PASSED";
  return `${head}: requests pass for ${passed} of ${count(pairs.length, "pair")}${parts.map((part) => `, ${part}`).join("")}`;
}

function cureLine(cure = ""): string {
  return cure === "" ? "" : `\n  cure: ${cure}`;
}

const CORNER = "FROM \\ TO";
const GAP = 2;

/** A row for each reader; a terminal that is too narrow gets the pairs as a list. */
function matrix(pairs: readonly ProbedPair[], screen: Screen, names: Names): string {
  const { paint, width } = screen;
  const ids = [...new Set(pairs.flatMap(({ reader, target }) => [reader, target]))].toSorted();
  const cells = new Map(pairs.map((pair) => [`${pair.reader} ${pair.target}`, pair]));
  const rows = ids.map((reader) => [
    names(reader),
    ...ids.map((target) => {
      const pair = cells.get(`${reader} ${target}`);
      return pair === undefined ? "" : paint(PROBE_COLOURS[pair.probe.state], cellOf(pair));
    }),
  ]);
  const head = [CORNER, ...ids.map((id) => names(id))];
  const widest = Math.max(...head.map(({ length }) => length)) + GAP;
  return widest * head.length > width ? list(pairs, screen, names) : renderTable(head, rows);
}

function list(pairs: readonly ProbedPair[], { paint, width }: Screen, names: Names = (id) => id): string {
  const rows = pairs.map(({ reader, target, route, probe }) => [
    names(reader),
    names(target),
    paint(PROBE_COLOURS[probe.state], WORDS[probe.state]),
    probe.latencyMs === undefined ? "" : latencyWords(probe.latencyMs),
    route,
    probe.cause ?? "",
  ]);
  return renderFittedTable(["FROM", "TO", "RESULT", "TIME", "WAY", "CAUSE"], rows, { width, keep: 3 });
}

function cellOf({ probe: { state, latencyMs } }: ProbedPair): string {
  return latencyMs === undefined ? WORDS[state] : latencyWords(latencyMs);
}

/** Each trouble once, with the pairs that have it. */
function troubles(pairs: readonly ProbedPair[], names: Names): string {
  const groups = Map.groupBy(
    pairs.filter(({ probe }) => probe.state !== "passed" && probe.message !== undefined),
    ({ probe }) => `${WORDS[probe.state]}: ${probe.message}${cureLine(probe.cure)}`,
  );
  return [...groups]
    .map(
      ([text, of]) =>
        `${of.map(({ reader, target }) => `${names(reader)} to ${names(target)}`).join(", ")}: ${text}`,
    )
    .join("\n");
}

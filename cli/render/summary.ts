import { distinct } from "../../shared/core/answers/finding.ts";
import type { Outcome } from "../../shared/core/answers/outcome.ts";
import type { Summary } from "../../shared/core/answers/summary.ts";
import { renderTable } from "../../shared/table.ts";
import type { Colour, Paint } from "../paint.ts";
import { renderFindings } from "./findings.ts";
import { blocks, someOf, tally } from "./words.ts";

const COLOURS: Readonly<Record<Outcome, Colour>> = {
  unchanged: "dim",
  created: "green",
  updated: "green",
  deleted: "green",
  waiting: "yellow",
  failed: "red",
};

/** The outcomes of the members and of their pairs. */
export function renderSummary(summary: Summary, paint: Paint): string {
  const { outcome, members, pairs, findings } = summary;
  return blocks(
    [
      `Outcome: ${paint(COLOURS[outcome], outcome)}`,
      `Members: ${tally(members.map((member) => member.outcome)).join(", ") || "none"}`,
      `Pairs: ${tally(pairs.map((pair) => pair.outcome)).join(", ") || "none"}`,
    ].join("\n"),
    changes(summary, paint),
    renderFindings(distinct([...findings, ...members.flatMap((member) => member.findings)]), paint),
  );
}

/** One line for each changed member, and one for its pairs of one outcome. */
function changes({ members, pairs }: Summary, paint: Paint): string {
  const own = members
    .filter(({ outcome }) => outcome !== "unchanged")
    .map(({ clusterId, outcome }) => [clusterId, paint(COLOURS[outcome], outcome), ""]);
  const alike = Map.groupBy(
    pairs.filter(({ outcome }) => outcome !== "unchanged"),
    ({ reader, outcome }) => `${reader}\n${outcome}`,
  );
  const paired = [...alike.values()].flatMap((group) => {
    const [first] = group;
    if (first === undefined) return [];
    return [
      [first.reader, paint(COLOURS[first.outcome], first.outcome), someOf(group.map(({ target }) => target))],
    ];
  });
  const rows = [...own, ...paired];
  return rows.length === 0 ? "" : renderTable(["MEMBER", "OUTCOME", "PEERS"], rows);
}

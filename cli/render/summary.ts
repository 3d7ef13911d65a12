import { distinct, type Finding } from "../../shared/core/answers/finding.ts";
import { isUnfinished, type Outcome } from "../../shared/core/answers/outcome.ts";
import type { Summary } from "../../shared/core/answers/summary.ts";
import type { Colour, Paint } from "../paint.ts";
import type { Names, Screen } from "../screen.ts";
import { renderContexts } from "./contexts.ts";
import { renderFindings } from "./findings.ts";
import { renderFittedTable } from "./fitted-table.ts";
import { blocks, someOf, tally } from "./words.ts";

const COLOURS: Readonly<Record<Outcome, Colour>> = {
  unchanged: "dim",
  created: "green",
  updated: "green",
  deleted: "green",
  waiting: "yellow",
  failed: "red",
};

/** The outcomes of the members and of their pairs, and what is left to do or to know. */
export function renderSummary(summary: Summary, screen: Screen, names: Names): string {
  const { outcome, members, pairs } = summary;
  const { paint } = screen;
  return blocks(
    [
      `Outcome: ${paint(COLOURS[outcome], outcome)}`,
      `Members: ${tally(members.map((member) => member.outcome)).join(", ") || "none"}`,
      `Pairs: ${tally(pairs.map((pair) => pair.outcome)).join(", ") || "none"}`,
    ].join("\n"),
    changes(summary, screen, names),
    openBlock(summary, paint, names),
  );
}

/** The same, without a word about outcomes where nothing was to change. */
export function renderChanges(summary: Summary, screen: Screen, names: Names): string {
  return summary.outcome === "unchanged"
    ? openBlock(summary, screen.paint, names)
    : renderSummary(summary, screen, names);
}

function openBlock(summary: Summary, paint: Paint, names: Names): string {
  const open = openFindings(summary);
  return blocks(renderFindings(open, paint, names), renderContexts(open.map(({ cure }) => cure)));
}

/** A note says why the run acts. Where it has acted, the note is not true any more. */
function openFindings({ outcome, members, findings }: Summary): Finding[] {
  const notesIf = (isOpen: boolean, all: readonly Finding[]) =>
    isOpen ? all : all.filter(({ severity }) => severity !== "info");
  return distinct([
    ...notesIf(isUnfinished(outcome), findings),
    ...members.flatMap((member) => notesIf(isUnfinished(member.outcome), member.findings)),
  ]);
}

/** One line for each changed member, and one for its pairs of one outcome. */
function changes({ members, pairs }: Summary, { paint, width }: Screen, names: Names): string {
  const own = members
    .filter(({ outcome }) => outcome !== "unchanged")
    .map(({ clusterId, outcome }) => [names(clusterId), paint(COLOURS[outcome], outcome), ""]);
  const alike = Map.groupBy(
    pairs.filter(({ outcome }) => outcome !== "unchanged"),
    ({ reader, outcome }) => `${reader}\n${outcome}`,
  );
  const paired = [...alike.values()].flatMap((group) => {
    const [first] = group;
    if (first === undefined) return [];
    return [
      [
        names(first.reader),
        paint(COLOURS[first.outcome], first.outcome),
        someOf(group.map(({ target }) => names(target))),
      ],
    ];
  });
  const rows = [...own, ...paired];
  return rows.length === 0 ? "" : renderFittedTable(["MEMBER", "OUTCOME", "PEERS"], rows, { width });
}

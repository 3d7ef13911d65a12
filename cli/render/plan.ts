import type { Finding } from "../../shared/core/answers/finding.ts";
import type { Plan, PlannedAction } from "../../shared/core/answers/plan.ts";
import { count } from "../../shared/core/count.ts";
import type { Colour } from "../paint.ts";
import type { Names, Screen } from "../screen.ts";
import { renderContexts } from "./contexts.ts";
import { renderFindings } from "./findings.ts";
import { renderFittedRows } from "./fitted-table.ts";
import { blocks, someOf, tally } from "./words.ts";

/** Of one kind of change to a member; more are counted instead of named. */
const NAMED_MAX = 2;

const COLOURS = { create: "green", update: "yellow", delete: "red" } as const satisfies Record<
  PlannedAction["verb"],
  Colour
>;

/** The planned changes member by member, each with its reason. */
export function renderPlan({ actions, findings }: Plan, screen: Screen, names: Names): string {
  const { paint } = screen;
  const perMember = Map.groupBy(actions, ({ clusterId }) => clusterId);
  return blocks(
    actions.length === 0
      ? idleWords(findings)
      : `${count(actions.length, "change")} to ${count(perMember.size, "cluster")}: ${tally(actions.map(({ verb }) => `to ${verb}`)).join(", ")}`,
    ...[...perMember].map(
      ([clusterId, own]) => `${paint("bold", names(clusterId))}\n${changes(own, screen)}`,
    ),
    renderFindings(findings, paint, names),
    renderContexts(findings.map(({ cure }) => cure)),
  );
}

/** A mesh that has lost its members has no changes to make, and is not well. */
function idleWords(findings: readonly Finding[]): string {
  return findings.some(({ severity }) => severity !== "info")
    ? "A sync would change nothing; what is wrong needs something else."
    : "There is nothing to do.";
}

function changes(actions: readonly PlannedAction[], { paint, width }: Screen): string {
  const alike = Map.groupBy(actions, ({ verb, findings }) => `${verb}\n${reasonsOf(findings)}`);
  const rows = [...alike.values()].flatMap((group) => {
    const [first] = group;
    if (first === undefined) return [];
    const verb = paint(COLOURS[first.verb], first.verb);
    return namesOf(group).map((what) => [`  ${verb}`, reasonsOf(first.findings), what]);
  });
  return renderFittedRows(rows, width);
}

function namesOf(group: readonly PlannedAction[]): string[] {
  if (group.length > NAMED_MAX) {
    const kinds = tally(group.map(({ object }) => object.kind));
    const [only = ""] = kinds;
    return [kinds.length === 1 ? only : `${group.length} objects: ${someOf(kinds)}`];
  }
  return group.map(({ object: { kind, namespace, name } }) =>
    namespace === undefined ? `${kind} ${name}` : `${kind} ${namespace}/${name}`,
  );
}

function reasonsOf(findings: PlannedAction["findings"]): string {
  return [...new Set(findings.map(({ reason }) => reason))].join(", ");
}

import type { Plan, PlannedAction } from "../../shared/core/answers/plan.ts";
import { count } from "../../shared/core/count.ts";
import { renderRows } from "../../shared/table.ts";
import type { Colour, Paint } from "../paint.ts";
import { renderFindings } from "./findings.ts";
import { blocks, someOf, tally } from "./words.ts";

/** Of one kind of change to a member; more are counted instead of named. */
const NAMED_MAX = 2;

const COLOURS = { create: "green", update: "yellow", delete: "red" } as const satisfies Record<
  PlannedAction["verb"],
  Colour
>;

/** The planned changes member by member, each with its reason. */
export function renderPlan({ actions, findings }: Plan, paint: Paint): string {
  const perMember = Map.groupBy(actions, ({ clusterId }) => clusterId);
  return blocks(
    actions.length === 0
      ? "There is nothing to do."
      : `${count(actions.length, "change")} to ${count(perMember.size, "cluster")}: ${tally(actions.map(({ verb }) => `to ${verb}`)).join(", ")}`,
    ...[...perMember].map(([clusterId, own]) => `${paint("bold", clusterId)}\n${changes(own, paint)}`),
    renderFindings(findings, paint),
  );
}

function changes(actions: readonly PlannedAction[], paint: Paint): string {
  const alike = Map.groupBy(actions, ({ verb, findings }) => `${verb}\n${reasonsOf(findings)}`);
  const rows = [...alike.values()].flatMap((group) => {
    const [first] = group;
    if (first === undefined) return [];
    const verb = paint(COLOURS[first.verb], first.verb);
    return namesOf(group).map((what) => [`  ${verb}`, reasonsOf(first.findings), what]);
  });
  return renderRows(rows);
}

function namesOf(group: readonly PlannedAction[]): string[] {
  if (group.length > NAMED_MAX) {
    return [`${group.length} objects: ${someOf(tally(group.map(({ object }) => object.kind)))}`];
  }
  return group.map(({ object: { kind, namespace, name } }) =>
    namespace === undefined ? `${kind} ${name}` : `${kind} ${namespace}/${name}`,
  );
}

function reasonsOf(findings: PlannedAction["findings"]): string {
  return [...new Set(findings.map(({ reason }) => reason))].join(", ");
}

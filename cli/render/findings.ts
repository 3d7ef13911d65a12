import type { Finding } from "../../shared/core/answers/finding.ts";
import type { Reason, Severity } from "../../shared/core/answers/reasons.ts";
import type { Colour, Paint } from "../paint.ts";
import type { Names } from "../screen.ts";

/** Of one reason; a mesh in trouble may have one for every pair. */
const PER_REASON_MAX = 5;

const GROUPS: readonly { readonly severity: Severity; readonly title: string; readonly colour: Colour }[] = [
  { severity: "error", title: "Errors", colour: "red" },
  { severity: "warning", title: "Warnings", colour: "yellow" },
  { severity: "info", title: "Notes", colour: "dim" },
];

/** The worst first, each with its cure; empty if there is none. */
export function renderFindings(findings: readonly Finding[], paint: Paint, names: Names = String): string {
  return GROUPS.flatMap(({ severity, title, colour }) => {
    const group = findings.filter((each) => each.severity === severity);
    if (group.length === 0) return [];
    const reasons = [...new Set(group.map(({ reason }) => reason))].toSorted();
    return [
      [paint(colour, title), ...reasons.flatMap((reason) => reasonLines(reason, group, names))].join("\n"),
    ];
  }).join("\n\n");
}

function reasonLines(reason: Reason, group: readonly Finding[], names: Names): string[] {
  const same = group.filter((each) => each.reason === reason);
  const more = same.length - PER_REASON_MAX;
  return [
    ...same.slice(0, PER_REASON_MAX).flatMap((each) => findingLines(each, names)),
    ...(more > 0 ? [`  and ${more} more of ${reason}; --output json has them all`] : []),
  ];
}

/** Its reason and member, its message and its cure, a line each. */
export function findingLines({ reason, clusterId, message, cure }: Finding, names: Names): string[] {
  const about = clusterId === undefined ? "" : `  ${names(clusterId)}`;
  return [`  ${reason}${about}`, `    ${message}`, `    cure: ${cure}`];
}

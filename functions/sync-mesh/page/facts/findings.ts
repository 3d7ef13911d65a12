import type { Finding } from "../../../../shared/core/answers/finding.ts";
import type { Reason, Severity } from "../../../../shared/core/answers/reasons.ts";
import type { Status } from "../../../../shared/core/answers/status.ts";

const LOUDEST_FIRST: readonly Severity[] = ["error", "warning", "info"];

/** Of one severity these come first: what they name explains the others. */
const LEADING: readonly Reason[] = ["MemberLost", "MassLeave", "SigningRootUnusable"];

export interface FindingGroup {
  readonly reason: Reason;
  readonly severity: Severity;
  readonly findings: readonly Finding[];
}

function rank({ severity, reason }: Finding): number {
  const lead = LEADING.indexOf(reason);
  const within = lead === -1 ? LEADING.length : lead;
  return LOUDEST_FIRST.indexOf(severity) * (LEADING.length + 1) + within;
}

function textOf({ reason, clusterId = "", message, cure }: Finding): string {
  return JSON.stringify([reason, clusterId, message, cure]);
}

function compare(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

/** Each finding once, by severity, reason and member. */
export function sortFindings(findings: readonly Finding[]): Finding[] {
  const once = new Map(findings.map((finding) => [textOf(finding), finding]));
  return [...once]
    .toSorted(([a, x], [b, y]) => rank(x) - rank(y) || compare(a, b))
    .map(([, finding]) => finding);
}

/** Of the mesh and of every member. */
export function openFindings({ findings, members }: Status): Finding[] {
  const ofMembers = members.flatMap(({ clusterId, findings: own }) =>
    own.map((finding) => ({ clusterId, ...finding })),
  );
  return sortFindings([...findings, ...ofMembers]);
}

/** Those that are not among the known ones: a plan and a sync mostly find what is open anyway. */
export function newFindings(findings: readonly Finding[], known: readonly Finding[]): Finding[] {
  const texts = new Set(known.map(textOf));
  return sortFindings(findings).filter((finding) => !texts.has(textOf(finding)));
}

/** Sorted findings, by reason. */
export function groupFindings(findings: readonly Finding[]): FindingGroup[] {
  return [...Map.groupBy(findings, ({ reason }) => reason)].flatMap(([reason, group]) => {
    const [first] = group;
    return first === undefined ? [] : { reason, severity: first.severity, findings: group };
  });
}

const PLURALS: Readonly<Record<Severity, readonly [string, string]>> = {
  error: ["error", "errors"],
  warning: ["warning", "warnings"],
  info: ["note", "notes"],
};

/** `1 error, 3 warnings`; empty for none. */
export function countFindings(findings: readonly Finding[]): string {
  return LOUDEST_FIRST.flatMap((severity) => {
    const count = findings.filter((finding) => finding.severity === severity).length;
    return count === 0 ? [] : `${count} ${PLURALS[severity][count === 1 ? 0 : 1]}`;
  }).join(", ");
}

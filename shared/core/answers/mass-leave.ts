import type { Finding } from "./finding.ts";

/** IDs of the clusters that a confirmation of `MassLeave` takes out; empty without that finding. */
export function massLeavers(findings: readonly Finding[]): string[] {
  if (!findings.some(({ reason }) => reason === "MassLeave")) return [];
  const lost = findings.filter(({ reason }) => reason === "MassLeave" || reason === "MemberLost");
  return [...new Set(lost.flatMap(({ clusterId }) => clusterId ?? []))];
}

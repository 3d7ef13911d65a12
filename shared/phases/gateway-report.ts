import type { Outcome } from "../core/answers/outcome.ts";
import type { Mesh } from "../look/mesh.ts";
import type { MemberFault, MemberReport, Report } from "../report.ts";

export function gatewayReport(clusterId: string, outcome: Outcome): MemberReport {
  return { clusterId, outcome, findings: [], isAside: true };
}

/** Of a member that the run is not about, the full run reports the fault of its gateway again (rule 9). */
export function gatewayFault(
  { subjects }: Mesh,
  { clusterId, outcome, finding, error }: MemberFault,
): Partial<Report> {
  if (!subjects.has(clusterId)) return { findings: [finding], errors: [error] };
  return {
    members: [{ clusterId, outcome, findings: [finding], isAside: true }],
    errors: [error],
  };
}

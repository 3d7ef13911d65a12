import type { Check } from "../core/answers/check.ts";
import { type Finding, finding } from "../core/answers/finding.ts";
import { examineElsewhere } from "../doctor/other-accounts.ts";
import { type Phase, wholeSubjects } from "./course.ts";

/**
 * The faults that functions under other accounts report of themselves; none if this process may not ask them.
 * A check that is unknown because this run has not finished the member either is left out: a finding says so
 * already.
 */
export const elsewhere: Phase = async ({ ports, signal }, course) => {
  const { request, mesh } = course;
  if (request.deep !== true || ports.examiners.length === 0) return {};
  const member = request.scope === "mesh" ? undefined : request.scope.clusterId;
  const checks = await examineElsewhere(ports.examiners, member, signal);
  const unfinished = mesh.subjects.difference(wholeSubjects(course));
  const found = checks.filter(({ state, clusterId = "" }) => state === "fault" || !unfinished.has(clusterId));
  return { findings: found.flatMap(findingOf) };
};

function findingOf({ state, account, name, message, cure, clusterId }: Check): Finding[] {
  if (state === "ok") return [];
  const reason = state === "fault" ? "AccountFault" : "AccountUnknown";
  const look = "ask again: meshjoin doctor --url URL";
  return [finding(reason, `${account}, ${name}: ${message}`, cure ?? look, clusterId)];
}

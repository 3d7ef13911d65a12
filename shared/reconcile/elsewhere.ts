import type { Run } from "../apply.ts";
import type { Check } from "../core/check.ts";
import { type Finding, finding } from "../core/finding.ts";
import type { Scope } from "../core/request.ts";
import { examineElsewhere } from "../doctor/elsewhere.ts";

/** What the functions under other accounts find of themselves; nothing where this process may not ask them. */
export async function findFaultsElsewhere({ ports, signal }: Run, scope: Scope): Promise<readonly Finding[]> {
  if (ports.examiners.length === 0) return [];
  const member = scope === "mesh" ? undefined : scope.clusterId;
  return (await examineElsewhere(ports.examiners, member, signal)).flatMap(findingOf);
}

function findingOf({ state, account, name, message, cure, clusterId }: Check): Finding[] {
  // A member that does not answer has a finding of its own.
  if (state === "ok" || (state === "unknown" && clusterId !== undefined)) return [];
  const reason = state === "fault" ? "AccountFault" : "AccountUnknown";
  const look = "ask again: meshjoin doctor --url URL";
  return [finding(reason, `${account}, ${name}: ${message}`, cure ?? look, clusterId)];
}

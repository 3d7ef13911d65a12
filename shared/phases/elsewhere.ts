import type { Run } from "../apply.ts";
import type { Check } from "../core/check.ts";
import { type Finding, finding } from "../core/finding.ts";
import type { Scope } from "../core/request.ts";
import { examineElsewhere } from "../doctor/elsewhere.ts";

/**
 * What the functions under other accounts find of themselves; nothing where this process may not ask them. `unfinished` are the
 * members, by cluster ID, that this run could not finish either: why, a finding of theirs says already.
 */
export async function findFaultsElsewhere(
  { ports, signal }: Run,
  scope: Scope,
  unfinished: ReadonlySet<string>,
): Promise<readonly Finding[]> {
  if (ports.examiners.length === 0) return [];
  const member = scope === "mesh" ? undefined : scope.clusterId;
  const checks = await examineElsewhere(ports.examiners, member, signal);
  return checks
    .filter(({ state, clusterId = "" }) => state === "fault" || !unfinished.has(clusterId))
    .flatMap(findingOf);
}

function findingOf({ state, account, name, message, cure, clusterId }: Check): Finding[] {
  if (state === "ok") return [];
  const reason = state === "fault" ? "AccountFault" : "AccountUnknown";
  const look = "ask again: meshjoin doctor --url URL";
  return [finding(reason, `${account}, ${name}: ${message}`, cure ?? look, clusterId)];
}

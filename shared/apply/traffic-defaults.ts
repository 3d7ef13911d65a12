import type { MeshSpec } from "../core/spec.ts";
import { ownerOf } from "../istio/ownership.ts";
import { FAILOVER_REF, failoverRule, ROOT_RULES, trafficRules } from "../istio/traffic-defaults.ts";
import { foreignRules } from "../plan/traffic-defaults.ts";
import type { MemberApi } from "../ports/member-api.ts";
import { applyOwned } from "./owned.ts";
import { withRights } from "./rights.ts";

type Wanted = Pick<MeshSpec, "meshId" | "failover">;

/**
 * Writes the rule that the configuration wants, unless a rule of somebody else has come that it would take
 * the place of. Answers whether it is there now.
 */
export async function writeTrafficDefaults(
  api: MemberApi,
  wanted: Wanted,
  signal: AbortSignal,
): Promise<boolean> {
  const { meshId } = wanted;
  const rule = failoverRule(wanted);
  if (rule === undefined) return false;
  return await withRights(api, meshId, signal, async () => {
    const rules = trafficRules(await api.reader.list(ROOT_RULES, signal), meshId);
    if (foreignRules(rules).length > 0) return false;
    await applyOwned(api, rule, meshId, signal);
    return true;
  });
}

/** Answers whether it was there. */
export async function removeTrafficDefaults(
  api: MemberApi,
  { meshId }: Wanted,
  signal: AbortSignal,
): Promise<boolean> {
  return await withRights(api, meshId, signal, async () => {
    const present = await api.reader.get(FAILOVER_REF, signal);
    if (present === undefined || ownerOf(present.metadata, meshId) !== "ours") return false;
    await api.writer.delete(FAILOVER_REF, present.metadata.uid ?? "", signal);
    return true;
  });
}

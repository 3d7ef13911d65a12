import { FAILOVER_RULE } from "../core/names.ts";
import type { MeshSpec } from "../core/spec.ts";
import { UnavailableError } from "../errors.ts";
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

/** In what the API server says of a validating webhook that does not answer. */
const WEBHOOK_AWAY = "failed calling webhook";

/**
 * For a member without an istiod. Where the webhook of an earlier one is left, as after the deletion of its
 * namespace, the API server lets no rule through before an istiod answers, so the join goes on without:
 * `TrafficDefaultsDiffer` then asks for it.
 */
export async function writeFirstTrafficDefaults(
  api: MemberApi,
  wanted: Wanted,
  signal: AbortSignal,
): Promise<boolean> {
  try {
    return await writeTrafficDefaults(api, wanted, signal);
  } catch (error) {
    const isHeldBack = error instanceof UnavailableError && error.message.includes(WEBHOOK_AWAY);
    if (!isHeldBack) throw error;
    return false;
  }
}

/**
 * Takes the rule away, unless the configuration wants one and the rule of somebody else that it was to make
 * room for has gone since the look. Answers whether it was there, and is gone now.
 */
export async function removeTrafficDefaults(
  api: MemberApi,
  wanted: Wanted,
  signal: AbortSignal,
): Promise<boolean> {
  const { meshId } = wanted;
  return await withRights(api, meshId, signal, async () => {
    const found = await api.reader.list(ROOT_RULES, signal);
    const present = found.find(({ metadata }) => metadata.name === FAILOVER_RULE);
    if (present === undefined || ownerOf(present.metadata, meshId) !== "ours") return false;
    const isAlone = foreignRules(trafficRules(found, meshId)).length === 0;
    if (isAlone && failoverRule(wanted) !== undefined) return false;
    await api.writer.delete(FAILOVER_REF, present.metadata.uid ?? "", signal);
    return true;
  });
}

import { faultFinding } from "../core/answers/error-finding.ts";
import { type Finding, finding } from "../core/answers/finding.ts";
import type { Write } from "../core/answers/plan.ts";
import { kubectlOn, typedName } from "../core/cluster/gcloud.ts";
import {
  isReachable,
  type Member,
  type ReachableMember,
  type TrafficRule,
} from "../core/member/observation.ts";
import { FAILOVER_RULE, ISTIO_NAMESPACE } from "../core/names.ts";
import type { TrafficDefaultsAction } from "./action.ts";
import type { MeshContext } from "./context.ts";

type TrafficDefaultsContext = Pick<MeshContext, "confirm" | "failoverSettings">;

export interface TrafficDefaultsPlan {
  readonly actions: readonly TrafficDefaultsAction[];
  readonly findings: readonly Finding[];
}

/**
 * The rule that says where requests go, in members whose istiod runs. It changes that for every workload, so
 * it is written, changed and taken away after a confirmation alone. A new member gets it with its own half.
 * `isBlocked`: Meshjoin writes nothing to the member.
 */
export function planTrafficDefaults(
  members: readonly Member[],
  isBlocked: (clusterId: string) => boolean,
  context: TrafficDefaultsContext,
): TrafficDefaultsPlan {
  const plans = members
    .filter(isReachable)
    .filter(({ clusterId, state }) => state.controlPlane?.owner === "ours" && !isBlocked(clusterId))
    .map((member) => planOne(member, context));
  return {
    actions: plans.flatMap(({ actions }) => actions),
    findings: plans.flatMap(({ findings }) => findings),
  };
}

const NOTHING: TrafficDefaultsPlan = { actions: [], findings: [] };

/** The rules of others that decide for the same Services, or have the name of Meshjoin's. */
export function foreignRules(rules: readonly TrafficRule[]): readonly TrafficRule[] {
  return rules.filter(({ owner, name }) => owner !== "ours" || name !== FAILOVER_RULE);
}

export function ownRule(rules: readonly TrafficRule[]): TrafficRule | undefined {
  return rules.find(({ owner, name }) => owner === "ours" && name === FAILOVER_RULE);
}

function planOne(member: ReachableMember, context: TrafficDefaultsContext): TrafficDefaultsPlan {
  const { clusterId, state } = member;
  const { trafficRules } = state;
  if (trafficRules === undefined) return NOTHING;
  if ("unread" in trafficRules)
    return { actions: [], findings: [faultFinding(trafficRules.unread, clusterId)] };
  const foreign = foreignRules(trafficRules);
  const configured = context.failoverSettings;
  const wanted = foreign.length === 0 ? configured : undefined;
  const present = ownRule(trafficRules);
  const others = configured === undefined ? [] : foreign.map((rule) => ofAnother(rule, member));
  if (present?.settings === wanted && (present === undefined) === (wanted === undefined))
    return { actions: [], findings: others };
  const differs = finding(
    "TrafficDefaultsDiffer",
    whatDiffers(present, wanted, others.length > 0 ? foreign : []),
    cure(context, others.length > 0),
    clusterId,
  );
  if (!context.confirm.includes("TrafficDefaultsDiffer"))
    return { actions: [], findings: [...others, differs] };
  return { actions: [action(clusterId, present, wanted, differs)], findings: others };
}

function ofAnother({ name, host, owner }: TrafficRule, { clusterId, cluster }: ReachableMember): Finding {
  const rule = `DestinationRule ${name} in ${ISTIO_NAMESPACE}`;
  const message =
    name === FAILOVER_RULE
      ? `${rule} is not Meshjoin's, so Meshjoin writes none of that name: it does not set where requests go`
      : `${rule} is ${owner === "ours" ? "an earlier one of Meshjoin's" : "not Meshjoin's"} and holds for ${host}; Meshjoin writes no rule that would take its place, so what it says of failover holds`;
  return finding(
    "TrafficDefaultsForeign",
    message,
    `to keep it, set MESHJOIN_FAILOVER=off; to have Meshjoin's instead: ${kubectlOn(cluster.ref)} -n ${ISTIO_NAMESPACE} delete destinationrules.networking.istio.io ${typedName(name)}; what that rule says of connections and TLS goes with it`,
    clusterId,
  );
}

/** `foreign`: rules of others for which the configuration's own one stands back. */
function whatDiffers(
  present: TrafficRule | undefined,
  wanted: string | undefined,
  foreign: readonly TrafficRule[],
): string {
  const rule = `DestinationRule ${FAILOVER_RULE}`;
  if (foreign.length > 0)
    return `${rule} of the cluster takes the place of DestinationRule ${foreign.map(({ name }) => name).join(", ")}, which is not Meshjoin's; without it, requests go as that one says`;
  if (wanted === undefined)
    return `the cluster has ${rule}, and nobody wants it: without it, requests go to all members alike, and to dead endpoints too`;
  return present === undefined
    ? `the cluster has no ${rule}: requests go to all members alike, and to dead endpoints too; with it, to the own cluster first`
    : `${rule} of the cluster was written by another configuration or release; the present one sends requests elsewhere when endpoints fail`;
}

function cure({ failoverSettings }: TrafficDefaultsContext, isForeign: boolean): string {
  const without =
    failoverSettings === undefined
      ? "set MESHJOIN_FAILOVER as the rule was written"
      : "set MESHJOIN_FAILOVER=off for a mesh that is to stay without it";
  const keep = isForeign ? "delete the other rule, as TrafficDefaultsForeign says" : without;
  return `it changes where requests go, so when it suits: meshjoin sync --confirm TrafficDefaultsDiffer; or ${keep}`;
}

function action(
  clusterId: string,
  present: TrafficRule | undefined,
  wanted: string | undefined,
  cause: Finding,
): TrafficDefaultsAction {
  const findings = [cause];
  if (wanted === undefined) {
    const writes = trafficDefaultsWrites("delete", clusterId);
    return { kind: "removeTrafficDefaults", verb: "delete", clusterId, writes, findings };
  }
  const verb = present === undefined ? "create" : "update";
  return {
    kind: "writeTrafficDefaults",
    verb,
    clusterId,
    writes: trafficDefaultsWrites(verb, clusterId),
    findings,
  };
}

/** Also of a new member, whose own half it is a part of. */
export function trafficDefaultsWrites(verb: Write["verb"], clusterId: string): Write[] {
  const object = { kind: "DestinationRule", namespace: ISTIO_NAMESPACE, name: FAILOVER_RULE };
  return [{ verb, clusterId, object }];
}

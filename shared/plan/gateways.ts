import { type Finding, finding } from "../core/answers/finding.ts";
import type { Write } from "../core/answers/plan.ts";
import { kubectlOn } from "../core/cluster/gcloud.ts";
import {
  isReachable,
  type Member,
  type MemberState,
  type NamedCluster,
  type ReachableMember,
} from "../core/member/observation.ts";
import { GATEWAY, ISTIO_NAMESPACE } from "../core/names.ts";
import { reaches } from "../core/network/connected.ts";
import { type Exposure, exposureOf, type GatewayState, isUp } from "../core/network/gateway.ts";
import type { MeshSpec } from "../core/spec.ts";
import type { ApplyGateway, GatewayAction, RemoveGateway } from "./action.ts";
import type { PairContext, WantedGateway } from "./context.ts";
import { isComplete } from "./member.ts";
import { isInstalled } from "./steps.ts";

/** A cluster, and what is known of its state. */
type MaybeMember = NamedCluster & { readonly state?: MemberState };

/** How a member's gateways are exposed: those that it has, and the one that it should have. */
export function exposuresOf(
  member: MaybeMember,
  members: readonly NamedCluster[],
  spec: MeshSpec,
): readonly Exposure[] {
  const wanted = wantedGateway(member, members, spec);
  const present = (gatewaysOf(member) ?? []).filter(({ network }) => network === member.network);
  return [wanted ?? [], present].flat().map(({ exposure }) => exposure);
}

/** Whether Meshjoin may give it a gateway, if another network can use it. */
export function mayHaveGateway(member: MaybeMember, spec: MeshSpec): boolean {
  return spec.gateways !== "never" && exposureOf(member.cluster, spec) !== "none" && !isForeign(member);
}

/** Undefined where nothing is known of them. */
export function gatewaysOf({ state }: MaybeMember): readonly GatewayState[] | undefined {
  const gateways = state?.reachable === true ? state.gateways : undefined;
  return gateways === undefined || "unread" in gateways ? undefined : gateways;
}

function isForeign({ state }: MaybeMember): boolean {
  return state?.reachable === true && state.controlPlane?.owner === "foreign";
}

/** Undefined where it should have none. */
function wantedGateway(
  member: MaybeMember,
  members: readonly NamedCluster[],
  spec: MeshSpec,
): WantedGateway | undefined {
  const exposure = exposureOf(member.cluster, spec);
  if (exposure === "none" || !mayHaveGateway(member, spec)) return undefined;
  const { network } = member;
  const isUsed = members.some(
    (other) => other.network !== network && reaches(other.network, network, exposure, spec),
  );
  return isUsed || spec.gateways === "always" ? { network, exposure } : undefined;
}

/**
 * What is due for the gateways of all members, also of those that the run is not about: a member that joins
 * needs those of its peers. They come after istiod, which makes a gateway of a Gateway.
 */
export function planGateways(context: PairContext): GatewayPlan {
  const own = context.members
    .filter(isReachable)
    .filter((member) => isInstalled(member.state) || context.view === "afterwards")
    .filter((member) => isComplete(member, context));
  return {
    actions: own.flatMap((member) => applies(member, context) ?? removes(member, context) ?? []),
    findings: own.flatMap((member) => notUp(member, context) ?? []),
    owners: own.flatMap((member) => {
      const wanted = wantedGateway(member, context.members, context.spec);
      return wanted === undefined ? [] : [{ member, wanted }];
    }),
  };
}

/** Whether a run would give it a gateway, or make another of the one that it has. */
export function isGatewayDue(member: Member, context: PairContext): boolean {
  return isReachable(member) && applies(member, context) !== undefined;
}

export interface GatewayPlan {
  readonly actions: readonly GatewayAction[];
  /** One for each gateway that is there and not up. */
  readonly findings: readonly Finding[];
  /** Members that can have a gateway now, and should. */
  readonly owners: readonly GatewayOwner[];
}

export interface GatewayOwner {
  readonly member: ReachableMember;
  readonly wanted: WantedGateway;
}

/** Whether requests of other networks get in; false, too, where nothing is known. */
export function isGatewayUp(member: Member): boolean {
  return (gatewaysOf(member) ?? []).some((each) => each.network === member.network && isUp(each));
}

/** Whether it is known that its gateways are not up, while a member of another network reads it. */
export function isGatewayLost(member: Member, members: readonly Member[]): boolean {
  if (gatewaysOf(member) === undefined || isGatewayUp(member)) return false;
  return isReadFromAfar(member, members);
}

function isReadFromAfar({ clusterId, network }: Member, members: readonly Member[]): boolean {
  return members
    .filter((other) => other.network !== network)
    .filter(isReachable)
    .some(({ state }) =>
      state.remoteSecrets.some(({ isRead, targetId }) => isRead && targetId === clusterId),
    );
}

function notUp(member: ReachableMember, { spec, members }: PairContext): Finding | undefined {
  const gateways = gatewaysOf(member);
  const isWanted = wantedGateway(member, members, spec) !== undefined;
  if (!isWanted || gateways === undefined || isGatewayUp(member)) return undefined;
  const present = gateways.find(({ gateway }) => gateway === GATEWAY);
  if (present === undefined) return undefined;
  const { clusterId, cluster } = member;
  const why =
    present.addresses.length === 0 ? "its load balancer has no address" : "none of its pods is ready";
  return finding(
    "GatewayPending",
    `the gateway of ${clusterId} is not up: ${why}`,
    `nothing, if it is new; otherwise see why: ${kubectlOn(cluster.ref)} -n ${ISTIO_NAMESPACE} describe service ${present.service}`,
    clusterId,
  );
}

function applies(
  member: ReachableMember,
  { spec, members, settingsOf }: PairContext,
): ApplyGateway | undefined {
  const wanted = wantedGateway(member, members, spec);
  const gateways = gatewaysOf(member);
  if (wanted === undefined || (gateways === undefined && isInstalled(member.state))) return undefined;
  const present = gateways?.find(({ gateway }) => gateway === GATEWAY);
  if (present?.settings === settingsOf(wanted)) return undefined;
  const { clusterId } = member;
  const verb = present === undefined ? "create" : "update";
  const cause = finding(
    "GatewayMissing",
    present === undefined
      ? `the cluster has no gateway for members of other networks`
      : `the gateway for members of other networks is not as it should be`,
    "nothing: Meshjoin installs it",
    clusterId,
  );
  return {
    kind: "applyGateway",
    verb,
    clusterId,
    ...wanted,
    writes: writesOf(verb, clusterId),
    findings: [cause],
  };
}

/**
 * Where members of one network are left, a gateway of Meshjoin's goes; not before all members were asked and
 * none has a remote secret that needs it.
 */
function removes(
  member: ReachableMember,
  { spec, members, isWholeView }: PairContext,
): RemoveGateway | undefined {
  if (!hasOurGateway(member) || wantedGateway(member, members, spec) !== undefined) return undefined;
  if (!isWholeView || !members.every(isReachable)) return undefined;
  const isNeeded = members
    .filter(isReachable)
    .some(
      ({ network, state }) =>
        network !== member.network &&
        state.remoteSecrets.some(({ targetId }) => targetId === member.clusterId),
    );
  if (isNeeded) return undefined;
  const { clusterId } = member;
  const cause = finding(
    "GatewayNotNeeded",
    "no member of another network uses the gateway of the cluster",
    "nothing: Meshjoin removes it",
    clusterId,
  );
  return removalOfGateway(clusterId, cause);
}

export function hasOurGateway(member: MaybeMember): boolean {
  const gateways = gatewaysOf(member) ?? [];
  return gateways.some(({ gateway, settings }) => gateway === GATEWAY && settings !== undefined);
}

export function removalOfGateway(clusterId: string, cause: Finding): RemoveGateway {
  return {
    kind: "removeGateway",
    verb: "delete",
    clusterId,
    writes: writesOf("delete", clusterId),
    findings: [cause],
  };
}

function writesOf(verb: Write["verb"], clusterId: string): Write[] {
  return [
    { kind: "ConfigMap", name: `${GATEWAY}-options` },
    { kind: "Gateway", name: GATEWAY },
  ].map((object) => ({ verb, clusterId, object: { ...object, namespace: ISTIO_NAMESPACE } }));
}

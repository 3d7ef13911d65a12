import type { Member } from "../core/member/observation.ts";
import type { DrainOrder } from "../core/request.ts";
import type { Roots } from "../core/roots/stages.ts";
import type { Action, NoteSecret } from "./action.ts";
import type {
  DesiredControlPlane,
  MemberContext,
  MeshContext,
  PairContext,
  SeenListing,
  WantedGateway,
} from "./context.ts";
import {
  type Departure,
  type DeparturePlan,
  leavingIds,
  planDepartures,
  stayingLeavers,
} from "./departures.ts";
import { type DrainPlan, planDrainNotes } from "./drain-notes.ts";
import { type Drains, indexDrains } from "./drains.ts";
import { type GatewayPlan, planGateways } from "./gateways.ts";
import { type IngressPlan, planIngress } from "./ingress.ts";
import { type LastGatewayPlan, planLastGateways } from "./last-gateways.ts";
import { planReturns } from "./loss-notes.ts";
import { type MemberPlan, peerStanding, planMember } from "./member.ts";
import { type ChangePlan, planChanges } from "./network-changes.ts";
import { indexNetworks } from "./networks.ts";
import { type PairPlan, planPairs } from "./pair.ts";
import { type ProbePlan, type ProbesContext, planProbes } from "./probes.ts";
import { planTrafficDefaults, type TrafficDefaultsPlan } from "./traffic-defaults.ts";

/** The parts of an observation that a plan follows from. */
export interface SeenMesh {
  readonly members: readonly Member[];
  readonly roots: Roots;
  readonly listing: SeenListing;
  readonly departures: readonly Departure[];
  readonly leavers: readonly Member[];
  /** IDs of clusters that may have been members and did not answer, where no member tells of them. */
  readonly unasked: readonly string[];
}

/** The wanted state, by the configuration, the release and the request. */
export interface PlanContext extends Omit<MeshContext, "roots" | "listing"> {
  desired(member: Member): DesiredControlPlane;
  settingsOf(gateway: WantedGateway): string;
  readonly ingressSettings: string;
  readonly probeSettingsOf: ProbesContext["probeSettingsOf"];
  /** The ID of the one cluster whose departure the run may carry out; undefined: all. */
  readonly only?: string | undefined;
  /** The member that a person drains, or undrains, with this run. */
  readonly drain?: DrainOrder | undefined;
  /** IDs of clusters that a person takes out with this run. */
  readonly leaving: readonly string[];
}

/** The plan of round one. The run plans the pairs after round one. */
export interface FirstPlan {
  /** In the order of the members. */
  readonly members: readonly MemberPlan[];
  readonly departures: DeparturePlan;
}

export interface MeshPlan extends FirstPlan {
  readonly register: Drains;
  readonly drains: DrainPlan;
  readonly gateways: GatewayPlan;
  readonly lastGateways: LastGatewayPlan;
  readonly changes: ChangePlan;
  readonly pairs: readonly PairPlan[];
  /** Notes of a loss that is over. */
  readonly returns: readonly NoteSecret[];
  readonly trafficDefaults: TrafficDefaultsPlan;
  readonly ingress: IngressPlan;
  readonly probes: ProbePlan;
}

export function planMesh(mesh: SeenMesh, context: PlanContext, view: PairContext["view"]): MeshPlan {
  const all = new Set(mesh.members.map(({ clusterId }) => clusterId));
  const pairContext = pairContextOf(mesh, context, view);
  const pairs = planPairs(all, pairContext);
  const connects = new Set(
    pairs.flatMap(({ reader, target, action }) => (action === undefined ? [] : [`${reader} ${target}`])),
  );
  const rewritten = new Set(
    pairs.flatMap(({ reader, target, action }) =>
      action === undefined || action.urgency === "reserve" ? [] : [`${reader} ${target}`],
    ),
  );
  const first = planFirst(mesh, context);
  return {
    ...first,
    register: pairContext.drains,
    drains: planDrainNotes(pairContext, pairs),
    gateways: planGateways(pairContext),
    lastGateways: planLastGateways(pairContext, (reader, target) => rewritten.has(`${reader} ${target}`)),
    changes: planChanges(pairContext),
    pairs,
    returns: planReturns(mesh.members, (reader, target) => connects.has(`${reader} ${target}`)),
    trafficDefaults: planTrafficDefaults(mesh.members, blockedIn(first), context),
    ingress: planIngress({ ...context, ...pairContext }),
    probes: planProbes(mesh.members, mesh.leavers, context),
  };
}

/** By cluster ID: whether Meshjoin writes nothing to the member. */
export function blockedIn({ members }: FirstPlan): (clusterId: string) => boolean {
  const blocked = members.filter(({ standing }) => standing === "blocked");
  const ids = new Set(blocked.map(({ clusterId }) => clusterId));
  return (id) => ids.has(id);
}

export function planFirst(mesh: SeenMesh, context: PlanContext): FirstPlan {
  return {
    members: planMembers(mesh, context),
    departures: planDepartures({ ...mesh, ...context, only: context.only }),
  };
}

/** Of all, or of these as they are now. */
export function planMembers(
  mesh: SeenMesh,
  context: PlanContext,
  members: readonly Member[] = mesh.members,
): MemberPlan[] {
  return members.map((member) => planMember(member, contextOf(mesh, context, member)));
}

export function pairContextOf(mesh: SeenMesh, context: PlanContext, view: PairContext["view"]): PairContext {
  const { roots, listing, members, departures } = mesh;
  const standings = new Map(
    members.map((member) => [member.clusterId, peerStanding(member, contextOf(mesh, context, member))]),
  );
  const isWholeView = listing.findings.length === 0 && departures.length === 0;
  const known = new Set(members.map(({ clusterId }) => clusterId));
  const input = { ...mesh, ...context, only: context.only };
  const [staying, leaving] = departures.length === 0 ? [[], []] : [stayingLeavers(input), leavingIds(input)];
  const lost = staying.filter(({ clusterId }) => !known.has(clusterId));
  const networks = indexNetworks([...members, ...lost], context.spec);
  const drains = indexDrains(members, context);
  const seen = new Set([...known, ...lost.map(({ clusterId }) => clusterId), ...leaving]);
  const isKnown = (id: string) => seen.has(id);
  return { ...context, roots, listing, members, drains, networks, isWholeView, isKnown, standings, view };
}

/** The actions of a plan in the sequence of a run. */
export function actionsOf(plan: MeshPlan): Action[] {
  const { members, drains, gateways, lastGateways, changes, pairs, returns, departures } = plan;
  return [
    ...members.flatMap(({ actions, renewal, rollOut }): readonly Action[] => [
      ...actions,
      ...[renewal ?? []].flat(),
      ...[rollOut ?? []].flat(),
    ]),
    ...drains.actions,
    ...gateways.actions.filter(({ kind }) => kind === "applyGateway"),
    ...pairs.flatMap(({ action, withdrawal }): Action[] => [
      ...(action === undefined || action.urgency === "reserve" ? [] : [action]),
      ...[withdrawal ?? []].flat(),
    ]),
    ...lastGateways.actions,
    ...gateways.actions.filter(({ kind }) => kind === "removeGateway"),
    ...gateways.replaced.map(({ action }) => action),
    ...changes.ready.map(({ action }) => action),
    ...returns,
    ...departures.actions,
    ...plan.trafficDefaults.actions,
    ...plan.probes.actions,
    ...plan.ingress.actions,
  ];
}

function contextOf(
  { roots, listing, members }: SeenMesh,
  context: PlanContext,
  member: Member,
): MemberContext {
  return { ...context, roots, listing, members, desired: context.desired(member) };
}

import type { Member } from "../core/member/observation.ts";
import type { Roots } from "../core/roots/stages.ts";
import type { Action } from "./action.ts";
import type { DesiredControlPlane, MemberContext, MeshContext, PairContext, SeenListing } from "./context.ts";
import { type Departure, type DeparturePlan, planDepartures } from "./departures.ts";
import { type MemberPlan, peerStanding, planMember } from "./member.ts";
import { type PairPlan, planPairs } from "./pair.ts";

/** As much of what was seen as a plan follows from. */
export interface SeenMesh {
  readonly members: readonly Member[];
  readonly roots: Roots;
  readonly listing: SeenListing;
  readonly departures: readonly Departure[];
  readonly leavers: readonly Member[];
}

/** What the configuration, the release and the request want of the mesh. */
export interface PlanContext extends Omit<MeshContext, "roots" | "listing"> {
  desired(member: Member): DesiredControlPlane;
  /** The cluster ID that the departures are about; undefined for all. */
  readonly only?: string | undefined;
}

/** What a run begins with; its pairs are planned when the members' own halves are on record. */
export interface FirstPlan {
  /** In the order of the members. */
  readonly members: readonly MemberPlan[];
  readonly departures: DeparturePlan;
}

/** Everything that is to be done, by what was seen; nothing is read for it, or written. */
export interface MeshPlan extends FirstPlan {
  readonly pairs: readonly PairPlan[];
}

/** The plan of a whole mesh. */
export function planMesh(mesh: SeenMesh, context: PlanContext, view: PairContext["view"]): MeshPlan {
  const everybody = new Set(mesh.members.map(({ clusterId }) => clusterId));
  return {
    ...planFirst(mesh, context),
    pairs: planPairs(mesh.members, everybody, pairContextOf(mesh, context, view)),
  };
}

export function planFirst(mesh: SeenMesh, context: PlanContext): FirstPlan {
  return {
    members: planMembers(mesh, context),
    departures: planDepartures({ ...mesh, ...context, only: context.only }),
  };
}

export function planMembers(mesh: SeenMesh, context: PlanContext): MemberPlan[] {
  return mesh.members.map((member) => planMember(member, contextOf(mesh, context, member)));
}

/** What pairs are planned by: whether each member's own half is enough for one, above all. */
export function pairContextOf(mesh: SeenMesh, context: PlanContext, view: PairContext["view"]): PairContext {
  const { roots, listing, members } = mesh;
  const standings = new Map(
    members.map((member) => [member.clusterId, peerStanding(member, contextOf(mesh, context, member))]),
  );
  return { ...context, roots, listing, standings, view };
}

/** The actions of a plan in the order of a run. */
export function actionsOf({ members, pairs, departures }: MeshPlan): Action[] {
  return [
    ...members.flatMap(({ actions, renewal, rollOut }): readonly Action[] => [
      ...actions,
      ...[renewal ?? []].flat(),
      ...[rollOut ?? []].flat(),
    ]),
    ...pairs.flatMap(({ action }) => (action === undefined || action.urgency === "reserve" ? [] : [action])),
    ...departures.actions,
  ];
}

function contextOf({ roots, listing }: SeenMesh, context: PlanContext, member: Member): MemberContext {
  return { ...context, roots, listing, desired: context.desired(member) };
}

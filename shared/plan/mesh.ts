import type { Member } from "../core/observation.ts";
import type { Roots } from "../core/roots/stages.ts";
import type { Action } from "./action.ts";
import { type Departure, type DeparturePlan, planDepartures } from "./departures.ts";
import { type MemberPlan, peerStanding, planMember, type Standing } from "./member.ts";
import type { DesiredControlPlane, MemberContext } from "./member-context.ts";
import { type PairPlan, planPairs } from "./pair.ts";

/** As much of what was seen as a plan follows from. */
export interface SeenMesh {
  readonly members: readonly Member[];
  readonly roots: Roots;
  /** Cluster IDs that more than one member would have. */
  readonly listing: { readonly collisions: ReadonlySet<string> };
  readonly departures: readonly Departure[];
  readonly leavers: readonly Member[];
}

/** What the configuration, the release and the request want of the mesh. */
export interface PlanContext extends Omit<MemberContext, "roots" | "collisions" | "desired"> {
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

/**
 * The plan of a whole mesh. `pairs`: as they stand `now`, or as they would `afterwards`, once the members' own halves are applied.
 */
export function planMesh(mesh: SeenMesh, context: PlanContext, pairs: "now" | "afterwards"): MeshPlan {
  const first = planFirst(mesh, context);
  const standings =
    pairs === "now"
      ? standingsOf(mesh, context)
      : new Map(
          first.members.map(({ clusterId, standing }): [string, Standing] => [
            clusterId,
            standing === "blocked" ? "blocked" : "complete",
          ]),
        );
  const everybody = new Set(mesh.members.map(({ clusterId }) => clusterId));
  return { ...first, pairs: planPairs(mesh.members, everybody, { ...context, standings }) };
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

/** Of every member: whether its own half is enough for a pair, by cluster ID. */
export function standingsOf(mesh: SeenMesh, context: PlanContext): Map<string, Standing> {
  return new Map(
    mesh.members.map((member) => [member.clusterId, peerStanding(member, contextOf(mesh, context, member))]),
  );
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
  return { ...context, roots, collisions: listing.collisions, desired: context.desired(member) };
}

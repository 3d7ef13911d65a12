import type { DefinitionState } from "../core/observation.ts";
import type { ObjectName } from "../core/plan.ts";
import type { Roots } from "../core/roots/stages.ts";
import type { MeshSpec } from "../core/spec.ts";
import type { PeerStanding } from "./member.ts";

/** What a member should be; computed outside, because it takes the rendered manifest. */
export interface DesiredControlPlane {
  readonly manifestHash: string;
  readonly istioVersion: string;
  /** What an apply writes where these definitions are; all of it where nobody has looked. */
  readonly objects: (definitions: readonly DefinitionState[] | undefined) => readonly ObjectName[];
}

/** What the sources say of the members. */
export interface SeenListing {
  /** Cluster IDs that more than one member would have. */
  readonly collisions: ReadonlySet<string>;
}

/** What every check may go by. */
export interface MeshContext {
  readonly spec: MeshSpec;
  readonly roots: Roots;
  readonly listing: SeenListing;
  /** Reasons of findings that this run may act on. */
  readonly confirm: readonly string[];
  /** Intermediates that were issued before this are to be replaced, whatever their life. */
  readonly rotateBefore?: Date | undefined;
  readonly now: Date;
}

/** Of a check of one member. */
export interface MemberContext extends MeshContext {
  readonly desired: DesiredControlPlane;
}

/** Of a check of one pair. */
export interface PairContext extends MeshContext {
  /** How each member's own half stands now. */
  readonly standings: ReadonlyMap<string, PeerStanding>;
  /** Whether pairs are judged as they stand `now`, or as they would `afterwards`, once the members' own halves are applied. */
  readonly view: "now" | "afterwards";
}

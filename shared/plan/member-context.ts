import type { DefinitionState } from "../core/observation.ts";
import type { ObjectName } from "../core/plan.ts";
import type { Roots } from "../core/roots/stages.ts";
import type { MeshSpec } from "../core/spec.ts";

/** What a member should be; computed outside, because it takes the rendered manifest. */
export interface DesiredControlPlane {
  readonly manifestHash: string;
  readonly istioVersion: string;
  /** What an apply writes where these definitions are; all of it where nobody has looked. */
  readonly objects: (definitions: readonly DefinitionState[] | undefined) => readonly ObjectName[];
}

export interface MemberContext {
  readonly spec: MeshSpec;
  readonly roots: Roots;
  readonly desired: DesiredControlPlane;
  /** Cluster IDs that more than one member would have. */
  readonly collisions: ReadonlySet<string>;
  /** Reasons of findings that this run may act on. */
  readonly confirm: readonly string[];
  /** Intermediates that were issued before this are to be replaced, whatever their life. */
  readonly rotateBefore?: Date | undefined;
  readonly now: Date;
}

import type { DrainState } from "./member/drain.ts";
import type { RunKind } from "./member/record.ts";

/** A word about one member; it counts as newer than every note that stands. */
export interface DrainOrder {
  readonly clusterId: string;
  readonly state: DrainState;
  /** The account of the person; or Meshjoin itself, which drains a dead member. */
  readonly by: string;
  /** Empty: none. */
  readonly reason: string;
  /** When it was decided, so that a newer word of a person wins; undefined: now. */
  readonly decidedAt?: Date;
}

export type Scope = "mesh" | { readonly clusterId: string };

/** Every trigger becomes one of these: where to look, never what to do. */
export interface ReconcileRequest {
  readonly scope: Scope;
  /** Why, for the log. */
  readonly reason: string;
  /** Reasons of findings that a person has confirmed: this one run may act on them. */
  readonly confirm?: readonly string[];
  /**
   * IDs of clusters that a person takes out with this run, and that have no label any more. Their departure
   * needs no grace, and is no part of a mass leave.
   */
  readonly leaving?: readonly string[];
  /** The member that a person drains, or undrains, with this run. */
  readonly drain?: DrainOrder;
  /** Also asks for drift in every field of Istio's objects, and examines permissions. */
  readonly deep?: boolean;
  /**
   * Healthy members may get another intermediate, a share of them at a time, and a changed manifest, one
   * after the other (design rule 7).
   */
  readonly rollOut?: boolean;
  /** The function that runs it notes its end on record, as this kind. */
  readonly notedAs?: RunKind;
  /** Intermediates in scope that were issued before this are replaced. */
  readonly rotateBefore?: Date;
  /** Replaces all due intermediates at once, because they are not to be trusted any more. */
  readonly atOnce?: boolean;
}

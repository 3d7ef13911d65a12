export type Scope = "mesh" | { readonly clusterId: string };

/** What every trigger becomes: where to look, never what to do. */
export interface ReconcileRequest {
  readonly scope: Scope;
  /** Why, for the log. */
  readonly reason: string;
  /** Reasons of findings that this one run may act on: somebody has looked at them. */
  readonly confirm?: readonly string[];
  /** Whether every field of Istio's objects is looked at, too. */
  readonly deep?: boolean;
  /**
   * Whether members that are whole may have their turn: of another intermediate, a share of them at a time; of a changed
   * manifest, one after the other (design rule 7).
   */
  readonly rollOut?: boolean;
  /** Intermediates in scope that were issued before this are replaced. */
  readonly rotateBefore?: Date;
  /** All intermediates that are due at once: they are no longer to be trusted. */
  readonly atOnce?: boolean;
}

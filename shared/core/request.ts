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
  /** Whether a changed manifest may go to members that are whole, one after the other (design rule 7). */
  readonly rollOut?: boolean;
}

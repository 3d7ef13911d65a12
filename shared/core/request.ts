import type { Reason } from "./finding.ts";

export type Scope = "mesh" | { readonly clusterId: string };

/** What every trigger becomes: where to look, never what to do. */
export interface ReconcileRequest {
  readonly scope: Scope;
  /** Why, for the log. */
  readonly reason: string;
  readonly dryRun: boolean;
  /** Reads data too, and repairs edited fields. */
  readonly deep: boolean;
  /** Findings that this one run may act on. */
  readonly confirm: readonly Reason[];
}

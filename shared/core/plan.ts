import type { Finding } from "./finding.ts";

/** What a run would do now, as data: sorted, so that equal worlds have equal plans, and without any key material. */
export interface Plan {
  readonly actions: readonly PlannedAction[];
  /** What keeps it from doing more, or what somebody should know. */
  readonly findings: readonly Finding[];
}

export interface PlannedAction {
  readonly verb: "create" | "update" | "delete";
  /** The member that would be written to. */
  readonly clusterId: string;
  readonly object: { readonly kind: string; readonly namespace?: string; readonly name: string };
  /** What makes it necessary. */
  readonly findings: readonly Finding[];
}

import type { Finding } from "./finding.ts";

/** What a run would do now, as data: sorted, so that equal worlds have equal plans, and without any key material. */
export interface Plan {
  readonly actions: readonly PlannedAction[];
  /** What keeps it from doing more, or what somebody should know. */
  readonly findings: readonly Finding[];
}

/** An object by its name. */
export interface ObjectName {
  readonly kind: string;
  readonly namespace?: string;
  readonly name: string;
}

/** What an action does to one object. */
export interface Write {
  readonly verb: "create" | "update" | "delete";
  /** The member that is written to. */
  readonly clusterId: string;
  readonly object: ObjectName;
}

export interface PlannedAction extends Write {
  /** What makes it necessary. */
  readonly findings: readonly Finding[];
}

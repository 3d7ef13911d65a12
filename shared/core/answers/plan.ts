import type { Finding } from "./finding.ts";

/** The actions of a run as data: sorted, so that equal meshes have equal plans, and without key material. */
export interface Plan {
  readonly actions: readonly PlannedAction[];
  /** Why the run does no more, and facts that a person should know. */
  readonly findings: readonly Finding[];
}

export interface ObjectName {
  readonly kind: string;
  readonly namespace?: string;
  readonly name: string;
}

/** The effect of an action on one object. */
export interface Write {
  readonly verb: "create" | "update" | "delete";
  /** The member that holds the object. */
  readonly clusterId: string;
  readonly object: ObjectName;
}

export interface PlannedAction extends Write {
  /** Why the action is necessary. */
  readonly findings: readonly Finding[];
}

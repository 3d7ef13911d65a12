import type { Plan } from "../../../shared/core/answers/plan.ts";
import type { Status } from "../../../shared/core/answers/status.ts";
import type { Summary } from "../../../shared/core/answers/summary.ts";

export interface PageView {
  readonly status: Status;
  /** The plan of a sync, if the query asks for one. */
  readonly plan?: Plan;
  /** What the plan is of: a cluster ID; the mesh, if it is not set. */
  readonly planScope?: string;
  readonly lastSync?: LastSync;
  /** `https:`; the function's log in the console. */
  readonly logsUrl?: string;
  /** Sent back by every form. */
  readonly csrfToken: string;
  readonly now: Date;
  /** 0: the page does not refresh. */
  readonly refreshSeconds: number;
}

export interface LastSync {
  readonly summary: Summary;
  /** When it ended; RFC 3339. */
  readonly at: string;
}

import type { Plan } from "../../../shared/core/answers/plan.ts";
import type { Status } from "../../../shared/core/answers/status.ts";
import type { Summary } from "../../../shared/core/answers/summary.ts";

export interface PageView {
  readonly status: Status;
  /** What a sync would do, where somebody has just asked for it. */
  readonly plan?: Plan;
  readonly lastSync?: LastSync;
  /** `https:`; where an operator reads the function's log. */
  readonly logsUrl?: string;
  /** Sent back by every form. */
  readonly csrfToken: string;
  readonly now: Date;
  /** 0: the page stays as it is until somebody loads it again. */
  readonly refreshSeconds: number;
}

export interface LastSync {
  readonly summary: Summary;
  /** When it ended; RFC 3339. */
  readonly at: string;
}

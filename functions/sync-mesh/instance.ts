import type { Status } from "../../shared/core/answers/status.ts";
import type { Logger } from "../../shared/log.ts";
import type { Run } from "../../shared/run.ts";
import { logProgress } from "../../shared/run-log.ts";
import type { Runtime } from "../../shared/runtime.ts";
import type { LastSync } from "./page/view.ts";

/** For so long a status is answered again without looking. */
const STATUS_LIVES_MS = 15_000;

/** One instance of the function: what it was started with, and what it keeps between requests. Another instance keeps its own. */
export interface Instance {
  readonly runtime: Runtime;
  /** Of its log in the console, where it knows its project and service. */
  readonly logsUrl: string | undefined;
  readonly withRun: <T>(log: Logger, use: (run: Run) => Promise<T>) => Promise<T>;
  readonly status: Kept<Status>;
  readonly lastSync: Kept<LastSync>;
}

/** One value, replaced as a whole. */
interface Kept<T> {
  /** Undefined where there is none, or where it is too old. */
  get(): T | undefined;
  set(value: T): void;
  drop(): void;
}

export function createInstance(runtime: Runtime, logsUrl: string | undefined): Instance {
  return {
    runtime,
    logsUrl,
    withRun: async (log, use) => await runtime.withRun(logProgress(log), use),
    status: keep(STATUS_LIVES_MS),
    lastSync: keep(Number.POSITIVE_INFINITY),
  };
}

function keep<T>(livesMs: number): Kept<T> {
  let kept: { readonly value: T; readonly at: number } | undefined;
  return {
    get: () => (kept === undefined || performance.now() - kept.at > livesMs ? undefined : kept.value),
    set(value) {
      kept = { value, at: performance.now() };
    },
    drop() {
      kept = undefined;
    },
  };
}

import type { Status } from "../../shared/core/answers/status.ts";
import type { Logger } from "../../shared/log.ts";
import type { Run } from "../../shared/run.ts";
import { logProgress } from "../../shared/run-log.ts";
import type { Runtime } from "../../shared/runtime.ts";
import type { LastSync } from "./page/view.ts";

/** A status of this age is answered again without a look. */
const STATUS_LIVES_MS = 15_000;

/** One instance of the function, with the values it keeps between requests. Instances share nothing. */
export interface Instance {
  readonly runtime: Runtime;
  /** The function's log in the console; undefined without project and service. */
  readonly logsUrl: string | undefined;
  readonly withRun: <T>(log: Logger, use: (run: Run) => Promise<T>) => Promise<T>;
  readonly status: Cached<Status>;
  readonly lastSync: Cached<LastSync>;
}

/** One value, replaced as a whole. */
interface Cached<T> {
  /** Undefined if there is none, or if it is too old. */
  get(): T | undefined;
  set(value: T): void;
  drop(): void;
}

export function createInstance(runtime: Runtime, logsUrl: string | undefined): Instance {
  return {
    runtime,
    logsUrl,
    withRun: async (log, use) => await runtime.withRun(logProgress(log), use),
    status: cached(STATUS_LIVES_MS),
    lastSync: cached(Number.POSITIVE_INFINITY),
  };
}

function cached<T>(livesMs: number): Cached<T> {
  let entry: { readonly value: T; readonly at: number } | undefined;
  return {
    get: () => (entry === undefined || performance.now() - entry.at > livesMs ? undefined : entry.value),
    set(value) {
      entry = { value, at: performance.now() };
    },
    drop() {
      entry = undefined;
    },
  };
}

import { setTimeout as sleep } from "node:timers/promises";
import { type ProcessOptions, type RunningProcess, startProcess } from "./process.ts";

/**
 * A process that is started again whenever it ends by itself, as Cloud Run follows an instance with another.
 */
export interface LastingProcess {
  /** Of the process that runs now, or ran last. */
  readonly pid: number;
  stop(): Promise<void>;
}

const RETRY_PAUSE_MS = 500;

/**
 * The first start must succeed and fails as `startProcess` does. One that fails later is tried again until
 * `stop`; its log says why.
 */
export async function keepRunning(options: ProcessOptions): Promise<LastingProcess> {
  let running: RunningProcess = await startProcess(options);
  let stopping = false;
  let starting: Promise<unknown> = Promise.resolve();

  async function replace(): Promise<void> {
    while (!stopping) {
      const started = await startProcess(options).catch(() => undefined);
      if (started !== undefined) {
        running = started;
        void watch();
        return;
      }
      await sleep(RETRY_PAUSE_MS);
    }
  }
  async function watch(): Promise<void> {
    await running.exited;
    if (!stopping) starting = replace();
  }
  void watch();
  return {
    get pid() {
      return running.pid;
    },
    async stop() {
      stopping = true;
      await starting;
      await running.stop();
    },
  };
}

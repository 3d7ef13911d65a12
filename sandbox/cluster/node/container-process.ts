import { mkdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { V1ContainerState } from "@kubernetes/client-node";
import type { ProcessExit, RunningProcess } from "../../os/process.ts";
import type { ContainerLog } from "./container-log.ts";
import { type ContainerReport, NOT_STARTED } from "./container-report.ts";
import type { MountedFiles } from "./mounted-files.ts";
import { probeUntilExit } from "./readiness.ts";

export interface ContainerOptions {
  /** Of the pod, and so of its log. */
  readonly name: string;
  /** Stands for the container's root directory. */
  readonly root: string;
  readonly logDir: string;
  readonly files: MountedFiles;
  /** Starts it once; called again after each end. */
  readonly start: () => Promise<RunningProcess>;
  readonly readinessUrl: string;
  readonly onReport: (report: ContainerReport) => void;
}

/** A container that is a process of this machine: with its files, its restarts and its log. */
export interface ContainerProcess {
  /** Undefined while none runs. */
  readonly pid: number | undefined;
  /** Of the run that goes on or was the last, or of the one before it; undefined where there was none. */
  logOf(which: { readonly previous: boolean }): ContainerLog | undefined;
  /** Brings the mounted files up to date, as the kubelet does some time after a change. */
  refresh(): void;
  stop(): Promise<void>;
}

const START_RETRY_MS = 500;
const FIRST_BACKOFF_MS = 1000;
const LONGEST_BACKOFF_MS = 30_000;
const STOP_GRACE_MS = 5000;

export async function startContainer(options: ContainerOptions): Promise<ContainerProcess> {
  const ended = new AbortController();
  const { files } = options;
  const container: Running = {
    options,
    logPath: join(options.logDir, `${options.name}.log`),
    ended: ended.signal,
    report: NOT_STARTED,
    logs: [],
  };
  await mkdir(options.root, { recursive: true });
  const finished = keepRunning(container);
  return {
    get pid() {
      return container.process?.pid;
    },
    logOf: ({ previous }) => logOf(container, previous),
    refresh() {
      if (!ended.signal.aborted) void files.write().catch(() => undefined);
    },
    async stop() {
      ended.abort();
      await container.process?.stop({ graceMs: STOP_GRACE_MS });
      await finished;
      await files.settled();
    },
  };
}

interface RunLog extends ContainerLog {
  to?: number;
}

interface Running {
  readonly options: ContainerOptions;
  readonly logPath: string;
  readonly ended: AbortSignal;
  report: ContainerReport;
  /** Of each run, the oldest first; all are in one file. */
  readonly logs: RunLog[];
  /** While there is one. */
  process?: RunningProcess | undefined;
}

/** As a kubelet does, with ever longer pauses, until it is ended. */
async function keepRunning(container: Running): Promise<void> {
  const pause = (ms: number) => delay(ms, undefined, { signal: container.ended }).catch(() => undefined);
  let backoffMs = FIRST_BACKOFF_MS;
  while (!container.ended.aborted) {
    const lastState = await runOnce(container);
    if (lastState === undefined) {
      await pause(START_RETRY_MS);
      continue;
    }
    const message = `back-off ${backoffMs / 1000}s restarting failed container`;
    tell(container, { ready: false, lastState, state: { waiting: { reason: "CrashLoopBackOff", message } } });
    await pause(backoffMs);
    backoffMs = Math.min(backoffMs * 2, LONGEST_BACKOFF_MS);
    container.report = { ...container.report, restartCount: container.report.restartCount + 1 };
  }
}

/** How it ended; undefined if it could not be started. */
async function runOnce(container: Running): Promise<V1ContainerState | undefined> {
  const { logPath: path } = container;
  const from = await sizeOf(path);
  const process = await start(container.options).catch((error: unknown) => {
    tell(container, { state: { waiting: { reason: "ContainerCreating", message: String(error) } } });
  });
  if (process === undefined) return undefined;
  container.process = process;
  const startedAt = new Date().toISOString();
  const log: RunLog = { path, from, startedAt };
  container.logs.push(log);
  tell(container, { state: running(startedAt) });
  if (container.ended.aborted) await process.stop({ graceMs: 0 });
  const exit = await probeUntilExit(process, container.options.readinessUrl, (ready) =>
    tell(container, { ready }),
  );
  container.process = undefined;
  log.to = await sizeOf(path);
  return terminated(exit, startedAt);
}

async function sizeOf(path: string): Promise<number> {
  return await stat(path).then(
    ({ size }) => size,
    () => 0,
  );
}

/** As a kubelet chooses: while no run goes on, the last one is both. */
function logOf({ process, logs }: Running, previous: boolean): ContainerLog | undefined {
  return logs.at(previous && process !== undefined ? -2 : -1);
}

async function start({ files, start: run }: ContainerOptions): Promise<RunningProcess> {
  await files.write();
  return await run();
}

function tell(container: Running, change: Partial<ContainerReport>): void {
  container.report = { ...container.report, ...change };
  if (!container.ended.aborted) container.options.onReport(container.report);
}

function terminated({ code, signal }: ProcessExit, startedAt: string): V1ContainerState {
  return JSON.parse(
    JSON.stringify({
      terminated: {
        exitCode: code ?? 128,
        reason: code === 0 ? "Completed" : "Error",
        message: signal === null ? undefined : `ended by ${signal}`,
        startedAt,
        finishedAt: new Date().toISOString(),
      },
    }),
  );
}

function running(startedAt: string): V1ContainerState {
  return JSON.parse(JSON.stringify({ running: { startedAt } }));
}

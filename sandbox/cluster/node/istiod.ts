import { mkdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { V1ContainerState } from "@kubernetes/client-node";
import { type ProcessExit, type RunningProcess, startProcess } from "../../os/process.ts";
import { VANILLA_ENVOY_ENV } from "../traffic-support.ts";
import type { ContainerLog } from "./container-log.ts";
import { type ContainerReport, NOT_STARTED } from "./container-report.ts";
import { resolveArgs, resolveEnv } from "./container-spec.ts";
import { type IstiodFiles, type IstiodFilesOptions, istiodFiles } from "./istiod-files.ts";
import { chooseListeners, type Listeners, listenerFlags } from "./listeners.ts";
import { probeUntilExit } from "./readiness.ts";

export interface IstiodOptions extends IstiodFilesOptions {
  readonly logDir: string;
  readonly pilotDiscovery: string;
  readonly onReport: (report: ContainerReport) => void;
}

/** istiod's container: a process, its files and its restarts. */
export interface Istiod {
  /** Of the process; undefined while none runs. */
  readonly pid: number | undefined;
  readonly listeners: Listeners;
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

export async function startIstiod(options: IstiodOptions): Promise<Istiod> {
  const ended = new AbortController();
  const listeners = await chooseListeners();
  const files = istiodFiles(options);
  const name = options.pod.metadata?.name ?? "istiod";
  const container: Running = {
    options,
    name,
    logPath: join(options.logDir, `${name}.log`),
    listeners,
    files,
    ended: ended.signal,
    report: NOT_STARTED,
    logs: [],
  };
  await mkdir(options.root, { recursive: true });
  const finished = keepRunning(container);
  return {
    listeners,
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
  readonly options: IstiodOptions;
  readonly name: string;
  readonly logPath: string;
  readonly listeners: Listeners;
  readonly files: IstiodFiles;
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
  const process = await start(container).catch((error: unknown) => {
    tell(container, { state: { waiting: { reason: "ContainerCreating", message: String(error) } } });
  });
  if (process === undefined) return undefined;
  container.process = process;
  const startedAt = new Date().toISOString();
  const log: RunLog = { path, from, startedAt };
  container.logs.push(log);
  tell(container, { state: running(startedAt) });
  if (container.ended.aborted) await process.stop({ graceMs: 0 });
  const exit = await probeUntilExit(process, readinessUrl(container), (ready) => tell(container, { ready }));
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

async function start({ options, name, listeners, files }: Running): Promise<RunningProcess> {
  const { container, root, logDir, pilotDiscovery } = options;
  await files.write();
  const kubeconfig = await files.writeKubeconfig();
  const env = resolveEnv(options, root);
  return await startProcess({
    name,
    command: pilotDiscovery,
    args: [...resolveArgs(container, env, root), ...listenerFlags(listeners), `--kubeconfig=${kubeconfig}`],
    env: { ...env, ...(options.vanillaEnvoys ? VANILLA_ENVOY_ENV : {}), HOME: root },
    cwd: root,
    logDir,
  });
}

function readinessUrl({ options, listeners }: Running): string {
  const { path = "/ready", port = 8080 } = options.container.readinessProbe?.httpGet ?? {};
  return `http://127.0.0.1:${listeners.ports.get(Number(port))}${path}`;
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

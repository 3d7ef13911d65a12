import { type ChildProcess, fork } from "node:child_process";
import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { UnavailableError } from "../../shared/errors.ts";
import type { SupervisorReport, SupervisorRequest } from "./supervisor.ts";

export interface ProcessOptions {
  /** Names the process in errors, and its log file `<logDir>/<name>.log`. */
  readonly name: string;
  /** An absolute path, or a command on the PATH of `env`. */
  readonly command: string;
  readonly args?: readonly string[];
  /** The whole environment, as in `spawn`; this process's own when left out. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** This process's own when left out. */
  readonly cwd?: string;
  /** Made if absent. Standard output and standard error are appended to one file in it. */
  readonly logDir: string;
  /** Asked again until true; an error counts as "not yet". */
  readonly ready?: () => Promise<boolean>;
  /** Default 60 000. */
  readonly readyTimeoutMs?: number;
}

export interface ProcessExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface RunningProcess {
  readonly name: string;
  readonly pid: number;
  readonly logPath: string;
  /** Never rejects. */
  readonly exited: Promise<ProcessExit>;
  /**
   * Sends SIGTERM, and SIGKILL to the rest of its process group after `graceMs` (default 5000; 0 kills at
   * once).
   */
  stop(options?: { readonly graceMs?: number }): Promise<void>;
}

interface Entry {
  readonly started: (pid: number) => void;
  readonly failed: (message: string) => void;
  readonly exited: (exit: ProcessExit) => void;
}

interface Supervisor {
  readonly child: ChildProcess;
  readonly entries: Map<number, Entry>;
}

const READY_INTERVAL_MS = 50;
const LOG_TAIL_LINES = 12;

let current: Supervisor | undefined;
let lastId = 0;

/** Held by the event loop only while a process runs, as a direct child would be. */
function holdEventLoop({ child, entries }: Supervisor): void {
  if (entries.size > 0) child.channel?.ref();
  else child.channel?.unref();
}

function settle(supervisor: Supervisor, report: SupervisorReport): void {
  const entry = supervisor.entries.get(report.id);
  if (report.type === "started") {
    entry?.started(report.pid);
    return;
  }
  supervisor.entries.delete(report.id);
  holdEventLoop(supervisor);
  if (report.type === "failed") entry?.failed(report.message);
  else entry?.exited({ code: report.code, signal: report.signal });
}

function isReport(message: unknown): message is SupervisorReport {
  return typeof message === "object" && message !== null && "type" in message && "id" in message;
}

function supervisorGone(supervisor: Supervisor): void {
  current = current === supervisor ? undefined : current;
  for (const entry of supervisor.entries.values()) {
    entry.failed("the supervisor of the sandbox's processes ended");
    entry.exited({ code: null, signal: "SIGKILL" });
  }
  supervisor.entries.clear();
}

function theSupervisor(): Supervisor {
  if (current === undefined) {
    const child = fork(fileURLToPath(new URL("./supervisor.ts", import.meta.url)), [], {
      detached: true,
      execArgv: [],
      env: {},
      stdio: ["ignore", "ignore", "ignore", "ipc"],
    });
    const supervisor = { child, entries: new Map<number, Entry>() };
    child.on("message", (message) => {
      if (isReport(message)) settle(supervisor, message);
    });
    child.once("exit", () => supervisorGone(supervisor));
    child.once("error", () => supervisorGone(supervisor));
    child.unref();
    current = supervisor;
  }
  return current;
}

function request(supervisor: Supervisor, message: SupervisorRequest): void {
  if (supervisor.child.connected) supervisor.child.send(message);
}

function definedOnly(env: Readonly<Record<string, string | undefined>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
}

function spawnSupervised(options: ProcessOptions, logPath: string): Promise<RunningProcess> {
  const supervisor = theSupervisor();
  lastId += 1;
  const id = lastId;
  const { promise: exited, resolve: resolveExit } = Promise.withResolvers<ProcessExit>();

  const stop = async ({ graceMs = 5000 } = {}): Promise<void> => {
    request(supervisor, { type: "signal", id, signal: graceMs > 0 ? "SIGTERM" : "SIGKILL" });
    const patience = new AbortController();
    const overdue = delay(graceMs, true, { signal: patience.signal }).catch(() => false);
    if ((await Promise.race([exited.then(() => false), overdue])) && graceMs > 0) {
      request(supervisor, { type: "signal", id, signal: "SIGKILL" });
    }
    patience.abort();
    await exited;
  };

  return new Promise((resolve, reject) => {
    supervisor.entries.set(id, {
      started: (pid) => resolve({ name: options.name, pid, logPath, exited, stop }),
      failed(message) {
        const cure = `see that ${options.command} exists and may be executed`;
        reject(
          new UnavailableError(`${options.name} did not start: ${message}`, {
            code: "ProcessFailed",
            cure,
          }),
        );
      },
      exited: resolveExit,
    });
    holdEventLoop(supervisor);
    request(supervisor, {
      type: "start",
      id,
      command: options.command,
      args: options.args ?? [],
      env: definedOnly(options.env ?? process.env),
      cwd: options.cwd ?? process.cwd(),
      logPath,
    });
  });
}

async function logTail(path: string): Promise<string> {
  const text = await readFile(path, "utf8").catch(() => "");
  return text.trimEnd().split("\n").slice(-LOG_TAIL_LINES).join("\n");
}

async function notReady(running: RunningProcess, what: string): Promise<UnavailableError> {
  const tail = await logTail(running.logPath);
  return new UnavailableError(`${running.name} ${what}; its last words:\n${tail}`, {
    code: "ProcessFailed",
    cure: `see all of them in ${running.logPath}`,
  });
}

async function waitUntilReady(
  running: RunningProcess,
  ready: () => Promise<boolean>,
  timeoutMs: number,
): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  let exit: ProcessExit | undefined;
  const noteExit = async (): Promise<void> => {
    exit = await running.exited;
  };
  void noteExit();
  while (!(await ready().catch(() => false))) {
    if (exit !== undefined) {
      throw await notReady(running, `ended with ${exit.signal ?? `code ${exit.code}`} before it was ready`);
    }
    if (Date.now() > deadline) {
      await running.stop({ graceMs: 0 });
      throw await notReady(running, `was not ready after ${Math.round(timeoutMs / 1000)} s`);
    }
    await delay(READY_INTERVAL_MS);
  }
}

/**
 * Starts a process that cannot outlive this one: it runs under a supervisor which kills its whole process
 * group when this process ends, even by SIGKILL. Resolves once it is `ready`, or has merely started where no
 * `ready` is given. Throws `UnavailableError` with the end of its log when it cannot start, ends early or
 * takes too long; nothing is left running then.
 */
export async function startProcess(options: ProcessOptions): Promise<RunningProcess> {
  await mkdir(options.logDir, { recursive: true });
  const logPath = join(options.logDir, `${options.name}.log`);
  const running = await spawnSupervised(options, logPath);
  if (options.ready !== undefined) {
    await waitUntilReady(running, options.ready, options.readyTimeoutMs ?? 60_000);
  }
  return running;
}

import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";

/**
 * Starts processes on behalf of the process that forked it, and kills their process groups when that one is
 * gone. It learns of any end: the IPC channel closes even after SIGKILL. It starts the processes itself, so
 * that at no moment one runs that nothing would end.
 */

/** What the parent asks for. `id` is the parent's own number for the process. */
export type SupervisorRequest =
  | {
      readonly type: "start";
      readonly id: number;
      readonly command: string;
      readonly args: readonly string[];
      readonly env: Readonly<Record<string, string>>;
      readonly cwd: string;
      readonly logPath: string;
    }
  | { readonly type: "signal"; readonly id: number; readonly signal: "SIGTERM" | "SIGKILL" };

/** What the supervisor tells. Every accepted start ends in exactly one `failed` or `exited`. */
export type SupervisorReport =
  | { readonly type: "started"; readonly id: number; readonly pid: number }
  | { readonly type: "failed"; readonly id: number; readonly message: string }
  | {
      readonly type: "exited";
      readonly id: number;
      readonly code: number | null;
      readonly signal: NodeJS.Signals | null;
    };

const groups = new Map<number, number>();

function report(message: SupervisorReport): void {
  if (process.connected) process.send?.(message);
}

function signalGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal);
  } catch {
    // No process of that group is left.
  }
}

function start(request: Extract<SupervisorRequest, { type: "start" }>): void {
  const { id } = request;
  let child: ChildProcess;
  try {
    const log = openSync(request.logPath, "a");
    child = spawn(request.command, request.args, {
      cwd: request.cwd,
      env: request.env,
      detached: true,
      stdio: ["ignore", log, log],
    });
    closeSync(log);
  } catch (error) {
    report({ type: "failed", id, message: String(error) });
    return;
  }
  const { pid } = child;
  if (pid === undefined) {
    child.once("error", (error) => report({ type: "failed", id, message: error.message }));
    return;
  }
  groups.set(id, pid);
  report({ type: "started", id, pid });
  child.once("exit", (code, signal) => {
    groups.delete(id);
    signalGroup(pid, "SIGKILL");
    report({ type: "exited", id, code, signal });
  });
}

function handle(request: SupervisorRequest): void {
  switch (request.type) {
    case "start":
      start(request);
      return;
    case "signal": {
      const pid = groups.get(request.id);
      if (pid !== undefined) signalGroup(pid, request.signal);
      return;
    }
  }
}

function isRequest(message: unknown): message is SupervisorRequest {
  return typeof message === "object" && message !== null && "type" in message && "id" in message;
}

function endEverything(): void {
  for (const pid of groups.values()) signalGroup(pid, "SIGKILL");
  process.exit(0);
}

for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, endEverything);
process.on("disconnect", endEverything);
process.on("message", (message) => {
  if (isRequest(message)) handle(message);
});

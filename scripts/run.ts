import { spawn } from "node:child_process";
import { constants } from "node:os";
import { ROOT } from "./paths.ts";

export interface Finished {
  /** As a shell has it: 128 + signal for a process that was killed. */
  readonly code: number;
  /** Standard output and error as they came; empty if inherited. */
  readonly output: string;
  readonly seconds: number;
}

interface RunOptions {
  readonly inherit?: boolean;
  readonly env?: NodeJS.ProcessEnv;
}

/** Undefined where there is no such program on PATH. */
export async function runIfThere(
  command: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<Finished | undefined> {
  try {
    return await run(command, args, options);
  } catch (error) {
    // Below Jest an error of Node's own is no instance of this Error.
    if (Error.isError(error) && "code" in error && error.code === "ENOENT") return undefined;
    throw error;
  }
}

/** Runs one program in the project's folder to its end. Never fails on the program's own exit code. */
export async function run(
  command: string,
  args: readonly string[],
  { inherit = false, env = process.env }: RunOptions = {},
): Promise<Finished> {
  const started = performance.now();
  const child = spawn(command, args, {
    cwd: ROOT,
    env,
    stdio: inherit ? ["ignore", "inherit", "inherit"] : ["ignore", "pipe", "pipe"],
  });
  const chunks: Buffer[] = [];
  child.stdout?.on("data", (chunk: Buffer) => chunks.push(chunk));
  child.stderr?.on("data", (chunk: Buffer) => chunks.push(chunk));
  const forward = (signal: NodeJS.Signals): boolean => child.kill(signal);
  process.on("SIGINT", forward).on("SIGTERM", forward);
  try {
    const code = await new Promise<number>((resolve, reject) => {
      child.once("error", reject);
      child.once("close", (status, signal) =>
        resolve(status ?? 128 + (signal === null ? 0 : constants.signals[signal])),
      );
    });
    return {
      code,
      output: Buffer.concat(chunks).toString(),
      seconds: (performance.now() - started) / 1000,
    };
  } finally {
    process.off("SIGINT", forward).off("SIGTERM", forward);
  }
}

import { execFile } from "node:child_process";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { SandboxFleet } from "./fleet.ts";
import { meshjoinEnvironmentFile } from "./meshjoin-environment.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/** Arguments of `sh`, in the project's directory, for a command line that reads the sandbox's settings. */
export function shellLine(fleet: SandboxFleet, args: readonly string[]): string[] {
  const file = meshjoinEnvironmentFile(dirname(fleet.file().logDir));
  return ["-c", `. "$0" && exec "$@"`, file, process.execPath, "cli/main.ts", ...args];
}

/** Runs `meshjoin` as the person who uses the sandbox; fails with what it says if it ends with a fault. */
export async function runCommandLine(fleet: SandboxFleet, args: readonly string[]): Promise<string> {
  const { stdout } = await promisify(execFile)("sh", shellLine(fleet, args), { cwd: ROOT });
  return stdout;
}

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inWords } from "../../shared/errors.ts";
import { type FleetOptions, type SandboxFleet, startFleet } from "../fleet/fleet.ts";

export type Say = (line: string) => void;

export interface Demo<R extends { readonly ok: boolean }> {
  /** Of the directory that its fleet is in; with a hyphen at the end. */
  readonly prefix: string;
  /** The last line of standard output is the result as JSON, and everything else goes to standard error. */
  readonly json: boolean;
  /** The demo says it before it starts the fleet. */
  readonly opening: string;
  readonly fleet: Pick<FleetOptions, "members" | "networks" | "traffic" | "env">;
  readonly demonstrate: (fleet: SandboxFleet, say: Say) => Promise<R>;
  readonly conclude: (result: R) => string;
}

/**
 * Runs a demo on a fleet of its own, from the start to the end of the process. It always stops the fleet,
 * after a failure or a signal too. The exit code says whether all went well. Where it did not, the logs are
 * kept.
 */
export async function runDemo<R extends { readonly ok: boolean }>(demo: Demo<R>): Promise<void> {
  const say: Say = (line) => (demo.json ? console.error(line) : console.log(line));
  const interrupted = new AbortController();
  for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(name, () => interrupted.abort());
  const dir = await mkdtemp(join(tmpdir(), demo.prefix));
  let fleet: SandboxFleet | undefined;
  try {
    say(demo.opening);
    const { signal } = interrupted;
    fleet = await startFleet({ ...demo.fleet, dir, join: true, progress: say, signal });
    const stopped = new Promise<never>((_, reject) => {
      signal.addEventListener("abort", () => reject(new Error("interrupted")), { once: true });
    });
    const result = await Promise.race([demo.demonstrate(fleet, say), stopped]);
    say(`\n${demo.conclude(result)}`);
    if (demo.json) console.log(JSON.stringify(result, withoutFailures));
    process.exitCode = result.ok ? 0 : 1;
  } catch (error) {
    console.error(`\nThe demo failed: ${inWords(error)}`);
    process.exitCode = 1;
  } finally {
    say("Stopping everything.");
    await fleet?.stop();
    if (process.exitCode === 0) await rm(dir, { recursive: true, force: true });
    else console.error(`Logs are kept in ${dir}`);
  }
}

/** The line for scripts has counts alone; the narration has the first failures of each step. */
function withoutFailures(key: string, value: unknown): unknown {
  return key === "failures" ? undefined : value;
}

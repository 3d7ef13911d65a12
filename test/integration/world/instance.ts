import { dirname, join } from "node:path";
import type { SandboxFleet } from "../../../sandbox/fleet/fleet.ts";
import {
  type FunctionName,
  functionProcess,
  readBundle,
} from "../../../sandbox/google/functions/function-process.ts";
import { type ProcessExit, startProcess } from "../../../sandbox/os/process.ts";

/**
 * Deploys the function with this configuration, which stops the instance as it starts; its last words go to
 * the function's log.
 */
export async function dieAtStart(
  fleet: SandboxFleet,
  name: FunctionName,
  env: Readonly<Record<string, string>>,
): Promise<ProcessExit> {
  const { project, logDir } = fleet.file();
  const bundle = readBundle(join(dirname(logDir), "functions"));
  const surroundings = { project, port: 0, metadataHost: "127.0.0.1:9", env };
  const instance = await startProcess({ ...functionProcess(name, bundle, surroundings), logDir });
  return await instance.exited;
}

import { execFile } from "node:child_process";
import { mkdir, symlink } from "node:fs/promises";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import type { SandboxFleet } from "../../../sandbox/fleet/fleet.ts";
import { gcloudEnvironmentFile } from "../../../sandbox/fleet/gcloud-environment.ts";
import { meshjoinEnvironmentFile } from "../../../sandbox/fleet/meshjoin-environment.ts";
import { ROOT } from "../../../scripts/paths.ts";
import { kubeCache, kubectlPath } from "./kubectl.ts";

const OUTPUT_MAX = 16 * 1024 * 1024;

export interface Ended {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/**
 * A shell, at first in the project's folder, in which gcloud, kubectl and meshjoin see the sandbox, as its
 * owner, and nothing else. Who sits there answers each question with yes.
 */
export interface Desk {
  /** Runs lines that set variables or change the folder, for itself and for what comes later. */
  set(lines: string): Promise<void>;
  /** Fails at the first command of a pipe that does. */
  run(command: string): Promise<Ended>;
}

/**
 * `endpoints`: what gcloud is told besides, by the name of an API as in `CLOUDSDK_API_ENDPOINT_OVERRIDES_`.
 */
export async function sitDown(
  fleet: SandboxFleet,
  endpoints: Readonly<Record<string, string>>,
): Promise<Desk> {
  const dir = dirname(fleet.file().logDir);
  const overrides = Object.entries(endpoints).map(([api, url]) => [
    `CLOUDSDK_API_ENDPOINT_OVERRIDES_${api}`,
    `${url}/`,
  ]);
  let env: NodeJS.ProcessEnv = {
    ...withoutSettings(process.env),
    PWD: ROOT,
    ...Object.fromEntries(overrides),
    ...kubeCache(dir),
    PATH: `${dirname(await kubectlPath())}:${process.env["PATH"]}`,
  };
  const run = async (command: string): Promise<Ended> => {
    const kubeconfigs = [
      join(dir, "gcloud", "kubeconfig"),
      ...fleet.file().members.map(({ kubeconfig }) => kubeconfig),
    ];
    return await inBash(command, { ...env, KUBECONFIG: kubeconfigs.join(":") });
  };
  const set = async (lines: string): Promise<void> => {
    const { code, out, err } = await run(`set -ea\n${lines}\nenv -0`);
    if (code !== 0) throw new Error(`${lines}: exit code ${code}\n${err}`);
    env = Object.fromEntries(
      out.split("\0").flatMap((line) => {
        const [name = "", ...value] = line.split("=");
        return name === "" ? [] : [[name, value.join("=")]];
      }),
    );
  };
  await set(
    [meshjoinEnvironmentFile(dir), gcloudEnvironmentFile(dir)].map((file) => `. '${file}'`).join("\n"),
  );
  return { set, run };
}

/** For `Desk.set`: the clone's command line under the name that a release installs it by. */
export async function meshjoinOfClone(fleet: SandboxFleet): Promise<string> {
  const dir = join(dirname(fleet.file().logDir), "bin");
  await mkdir(dir, { recursive: true });
  await symlink(join(ROOT, "scripts", "meshjoin.mjs"), join(dir, "meshjoin"));
  return `PATH='${dir}':"$PATH"`;
}

/**
 * Commands that ask a person on a terminal, which this shell is not. A page shows what a person types there.
 */
const GRAVE = /\bmeshjoin(?: --)? (?:leave|rotate|upgrade|pause|root (?:rotate|abort|import))\b/g;

async function inBash(command: string, env: NodeJS.ProcessEnv): Promise<Ended> {
  try {
    const args = ["-o", "pipefail", "-c", command.replaceAll(GRAVE, "$& --yes")];
    const options = { cwd: env["PWD"] ?? ROOT, env, maxBuffer: OUTPUT_MAX };
    const running = promisify(execFile)("bash", args, options);
    running.child.stdin?.on("error", () => undefined).end("yes\n");
    const { stdout, stderr } = await running;
    return { code: 0, out: stdout, err: stderr };
  } catch (error) {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what execFile rejects with
    const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string };
    return { code, out: stdout, err: stderr };
  }
}

/**
 * The person who runs the tests has a gcloud and a mesh of their own. Of their variables only those stay that
 * lead gcloud to its Python, and `MESHJOIN_BINARIES`.
 */
function withoutSettings(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const kept = Object.entries(env).filter(
    ([name]) =>
      (!name.startsWith("CLOUDSDK_") || name.startsWith("CLOUDSDK_PYTHON")) &&
      (!name.startsWith("MESHJOIN_") || name === "MESHJOIN_BINARIES"),
  );
  return Object.fromEntries(kept);
}

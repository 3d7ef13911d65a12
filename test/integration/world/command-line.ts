import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { SandboxFleet } from "../../../sandbox/fleet/fleet.ts";
import { meshjoinEnvironmentFile } from "../../../sandbox/fleet/meshjoin-environment.ts";
import { ROOT } from "../../../scripts/paths.ts";

/** Arguments of `sh` for a command line that has read what the sandbox has written for it. */
export function shellLine(fleet: SandboxFleet, args: readonly string[]): string[] {
  const file = meshjoinEnvironmentFile(dirname(fleet.file().logDir));
  return ["-c", `. "$0" && exec "$@"`, file, process.execPath, "cli/main.ts", ...args];
}

/** Where it runs: on a machine with Google credentials of its own, which are not to be used. */
export async function place(fleet: SandboxFleet) {
  const env = { ...process.env, HOME: await aHome(fleet), GOOGLE_APPLICATION_CREDENTIALS: "/not/there" };
  return { cwd: ROOT, env };
}

async function aHome(fleet: SandboxFleet): Promise<string> {
  const home = dirname(fleet.file().logDir);
  await mkdir(join(home, ".config/gcloud"), { recursive: true });
  const credentials = { type: "authorized_user", client_id: "a", client_secret: "b", refresh_token: "c" };
  await writeFile(
    join(home, ".config/gcloud/application_default_credentials.json"),
    JSON.stringify(credentials),
  );
  return home;
}

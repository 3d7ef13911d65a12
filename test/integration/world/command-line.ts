import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { SandboxFleet } from "../../../sandbox/fleet/fleet.ts";
import { ROOT } from "../../../scripts/paths.ts";

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

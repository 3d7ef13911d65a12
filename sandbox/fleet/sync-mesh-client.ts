import type { Status } from "../../shared/core/answers/status.ts";
import type { Summary } from "../../shared/core/answers/summary.ts";
import type { SandboxFleet } from "./fleet.ts";

async function call(fleet: SandboxFleet, path: string, init: RequestInit): Promise<string> {
  const url = fleet.file().functions["sync-mesh"];
  if (url === undefined) throw new Error("the bundle has no function sync-mesh; build it");
  return await (await fetch(`${url}${path}`, init)).text();
}

/** `GET /status` of the function, as of now. */
export async function meshStatus(fleet: SandboxFleet): Promise<Status> {
  const status: Status = JSON.parse(
    await call(fleet, "/status", { headers: { "cache-control": "no-cache" } }),
  );
  return status;
}

/** `POST /sync`, as the scheduler sends it. */
export async function syncMesh(fleet: SandboxFleet): Promise<Summary> {
  const summary: Summary = JSON.parse(
    await call(fleet, "/sync", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ scope: "mesh" }),
    }),
  );
  return summary;
}

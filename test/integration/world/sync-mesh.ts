import type { SandboxFleet } from "../../../sandbox/fleet/fleet.ts";
import type { Diagnosis } from "../../../shared/core/answers/check.ts";
import type { Plan } from "../../../shared/core/answers/plan.ts";
import type { Status } from "../../../shared/core/answers/status.ts";
import type { Summary } from "../../../shared/core/answers/summary.ts";

/** As Cloud Scheduler or a person calls the function `sync-mesh`. */
async function call(fleet: SandboxFleet, path: string, init: RequestInit = {}): Promise<Response> {
  return await fetch(`${fleet.file().functions["sync-mesh"]}${path}`, init);
}

export async function sync(
  fleet: SandboxFleet,
  order: object = {},
): Promise<{ readonly status: number; readonly body: Summary }> {
  const init = {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(order),
  };
  const response = await call(fleet, "/sync", init);
  const body: Summary = JSON.parse(await response.text());
  return { status: response.status, body };
}

export async function plan(fleet: SandboxFleet): Promise<Plan> {
  const answered: Plan = JSON.parse(await (await call(fleet, "/plan")).text());
  return answered;
}

/** As it is now, not as it was answered before. */
export async function status(fleet: SandboxFleet): Promise<Status> {
  const response = await call(fleet, "/status", { headers: { "cache-control": "no-cache" } });
  const answered: Status = JSON.parse(await response.text());
  return answered;
}

/** What the functions find of themselves. */
export async function doctor(fleet: SandboxFleet): Promise<Diagnosis> {
  const answered: Diagnosis = JSON.parse(await (await call(fleet, "/doctor")).text());
  return answered;
}

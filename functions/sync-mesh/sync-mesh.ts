import type { Runtime } from "../../shared/runtime.ts";
import { type Answer, loggedErrorAnswer } from "../http/answer.ts";
import type { HttpRequest } from "../http/request.ts";
import { type Exchange, type Handler, serve } from "../http/serve.ts";
import { createInstance, type Instance } from "./instance.ts";
import { logsUrl } from "./logs-url.ts";
import { postAction } from "./routes/actions.ts";
import { getDoctor } from "./routes/doctor.ts";
import { getPage } from "./routes/page.ts";
import { getPlan } from "./routes/plan.ts";
import { getStatus } from "./routes/status.ts";
import { postSync } from "./routes/sync.ts";

/**
 * The mesh over HTTP: its status (`/status`), the plan of a sync (`/plan`), a sync (`/sync`), the checks of
 * the accounts (`/doctor`); the page (`/`) and its forms (`/actions`) offer the same to a person. IAM decides
 * who may call; a caller may do all of it. It never throws. `environment` is Cloud Run's: it names project
 * and service of traces and logs.
 */
export function syncMesh(
  runtime: Runtime,
  environment: Readonly<Record<string, string | undefined>> = process.env,
): (request: HttpRequest) => Promise<Answer> {
  const logs = logsUrl(environment["GOOGLE_CLOUD_PROJECT"], environment["K_SERVICE"]);
  const instance = createInstance(runtime, logs);
  const by =
    (handle: (instance: Instance, exchange: Exchange) => Promise<Answer>): Handler =>
    async (exchange) =>
      await handle(instance, exchange);
  const routes = {
    "/": { GET: by(getPage) },
    "/actions": { POST: by(postAction) },
    "/sync": { POST: by(postSync) },
    "/plan": { GET: by(getPlan) },
    "/status": { GET: by(getStatus) },
    "/doctor": { GET: by(getDoctor) },
  };
  return serve(routes, { log: runtime.log, environment, answerError: loggedErrorAnswer });
}

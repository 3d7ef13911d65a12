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
 * The mesh over HTTP: look at it (`/status`), see what would be done (`/plan`), have it done (`/sync`); the page (`/`) and
 * its forms (`/actions`) are the same for a person. A caller may do all of that: IAM decides who calls.
 * It never throws. `environment` is Cloud Run's: where traces and logs are.
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

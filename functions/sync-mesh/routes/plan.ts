import type { Plan } from "../../../shared/core/answers/plan.ts";
import type { Status } from "../../../shared/core/answers/status.ts";
import type { ReconcileRequest } from "../../../shared/core/request.ts";
import type { Logger } from "../../../shared/log.ts";
import { lookAtMesh } from "../../../shared/look/mesh.ts";
import { preview } from "../../../shared/preview.ts";
import { collectStatus, MEMBER_TIMEOUT_MS } from "../../../shared/status.ts";
import type { Answer } from "../../http/answer.ts";
import type { Exchange } from "../../http/serve.ts";
import { parsePlanQuery } from "../input.ts";
import type { Instance } from "../instance.ts";

/** `GET /plan` */
export async function getPlan({ withRun }: Instance, { query, log }: Exchange): Promise<Answer> {
  const request = parsePlanQuery(query);
  return { status: 200, body: await withRun(log, (run) => preview(run, request)) };
}

/** From one look at the whole mesh. */
export async function statusAndPlan(
  { withRun, status: statusCache }: Instance,
  request: ReconcileRequest,
  log: Logger,
): Promise<{ status: Status; plan: Plan }> {
  return await withRun(log, async (run) => {
    const mesh = await lookAtMesh(run, "mesh", { memberTimeoutMs: MEMBER_TIMEOUT_MS });
    const [plan, status] = await Promise.all([preview(run, request, mesh), collectStatus(run, mesh)]);
    statusCache.set(status);
    return { status, plan };
  });
}

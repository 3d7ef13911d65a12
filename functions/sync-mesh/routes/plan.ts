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
  const wanted = parsePlanQuery(query);
  return { status: 200, body: await withRun(log, (run) => preview(run, wanted)) };
}

/** From one look at everything. */
export async function statusAndPlan(
  { withRun, status: kept }: Instance,
  wanted: ReconcileRequest,
  log: Logger,
): Promise<{ status: Status; plan: Plan }> {
  return await withRun(log, async (run) => {
    const seen = await lookAtMesh(run, "mesh", { memberTimeoutMs: MEMBER_TIMEOUT_MS });
    const [plan, status] = await Promise.all([preview(run, wanted, seen), collectStatus(run, seen)]);
    kept.set(status);
    return { status, plan };
  });
}

import type { ReconcileRequest } from "../../../shared/core/request.ts";
import type { Logger } from "../../../shared/log.ts";
import { preview } from "../../../shared/preview.ts";
import { type Reconciled, reconcile } from "../../../shared/reconcile.ts";
import { logReconciled } from "../../../shared/run-log.ts";
import type { Answer } from "../../http/answer.ts";
import { bodyOf, header } from "../../http/request.ts";
import type { Exchange } from "../../http/serve.ts";
import { parseSync } from "../input.ts";
import type { Instance } from "../instance.ts";

/** `POST /sync` */
export async function postSync(instance: Instance, { request, log }: Exchange): Promise<Answer> {
  const { request: order, dryRun } = parseSync(bodyOf(request), header(request, "content-type"));
  if (dryRun) return { status: 200, body: await instance.withRun(log, (run) => preview(run, order)) };
  const reconciled = await reconcileAndKeep(instance, order, log);
  return { status: statusOf(reconciled), body: reconciled.summary };
}

/** Runs, and drops the cached status before and after: it is of an older mesh. */
export async function reconcileAndKeep(
  { withRun, status, lastSync }: Instance,
  request: ReconcileRequest,
  log: Logger,
): Promise<Reconciled> {
  status.drop();
  const noted: ReconcileRequest = request.scope === "mesh" ? { ...request, notedAs: "full" } : request;
  const reconciled = await withRun(log, (run) => reconcile(run, noted));
  status.drop();
  lastSync.set({ summary: reconciled.summary, at: new Date().toISOString() });
  logReconciled(log.child({ scope: request.scope }), reconciled);
  return reconciled;
}

/** 207: an action failed, and asking again does not mend it; 202: the same request has more to do later. */
function statusOf({ summary, retry }: Reconciled): number {
  if (summary.outcome === "failed") return 207;
  return retry ? 202 : 200;
}

import type { Run } from "../shared/apply.ts";
import type { Status } from "../shared/core/status.ts";
import { InputError } from "../shared/errors.ts";
import { type Logger, traceFields } from "../shared/log.ts";
import { preview } from "../shared/preview.ts";
import { type Reconciled, reconcile } from "../shared/reconcile.ts";
import { logReconciled } from "../shared/run-log.ts";
import { logProgress, type Runtime } from "../shared/runtime.ts";
import { collectStatus } from "../shared/status.ts";
import { type Answer, errorAnswer, refusal } from "./http/answer.ts";
import { BODY_MAX, parsePlanQuery, parseSync } from "./http/input.ts";

/** As the Functions Framework hands it over; only what is read. */
export interface SyncRequest {
  readonly method: string;
  /** Path and query. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly rawBody?: Buffer;
}

/** For so long a status is answered again without looking. */
const CACHE_MS = 15_000;

const ROUTES: Readonly<Record<string, readonly string[]>> = {
  "/sync": ["POST"],
  "/plan": ["GET"],
  "/status": ["GET"],
};

/**
 * The mesh over HTTP: look at it (`/status`), see what would be done (`/plan`), have it done (`/sync`). Whoever may invoke
 * the function may do all of that: it sits behind IAM. It never throws. `project` is where the traces are.
 */
export function syncMesh(
  runtime: Runtime,
  project = process.env["GOOGLE_CLOUD_PROJECT"],
): (request: SyncRequest) => Promise<Answer> {
  let cached: { readonly at: number; readonly status: Status } | undefined;

  async function withRun<T>(log: Logger, use: (run: Run) => Promise<T>): Promise<T> {
    const run = await runtime.start(logProgress(log));
    try {
      return await use(run);
    } finally {
      await run.ports.fleet.close();
    }
  }

  async function sync(request: SyncRequest, log: Logger): Promise<Answer> {
    const body = request.rawBody ?? Buffer.alloc(0);
    const { request: order, dryRun } = parseSync(body, header(request, "content-type"));
    if (dryRun) return { status: 200, body: await withRun(log, (run) => preview(run, order)) };
    cached = undefined;
    const reconciled = await withRun(log, (run) => reconcile(run, order));
    cached = undefined;
    logReconciled(log, reconciled);
    return { status: statusOf(reconciled), body: reconciled.summary };
  }

  async function status(request: SyncRequest, log: Logger): Promise<Answer> {
    const fresh = /\bno-cache\b/.test(header(request, "cache-control") ?? "");
    if (fresh || cached === undefined || performance.now() - cached.at > CACHE_MS) {
      cached = { status: await withRun(log, (run) => collectStatus(run)), at: performance.now() };
    }
    return { status: 200, body: cached.status };
  }

  return async (request) => {
    const url = new URL(request.url, "http://localhost");
    const log = runtime.log.child(traceFields(header(request, "traceparent"), project));
    const methods = ROUTES[url.pathname];
    if (methods === undefined) {
      const message = `${url.pathname} is not served; use ${Object.keys(ROUTES).join(", ")}`;
      return refusal(404, { code: "NotFound", message });
    }
    if (!methods.includes(request.method)) {
      const message = `${url.pathname} does not take ${request.method}; use ${methods.join(", ")}`;
      return refusal(405, { code: "MethodNotAllowed", message }, { allow: methods.join(", ") });
    }
    if ((request.rawBody?.length ?? 0) > BODY_MAX) {
      const message = `the body is larger than ${BODY_MAX} bytes; send less`;
      return refusal(413, { code: "PayloadTooLarge", message, field: "body" });
    }
    try {
      if (url.pathname === "/sync") return await sync(request, log);
      if (url.pathname === "/status") return await status(request, log);
      const order = parsePlanQuery(url.searchParams);
      return { status: 200, body: await withRun(log, (run) => preview(run, order)) };
    } catch (error) {
      if (!(error instanceof InputError)) log.error({ err: error }, "request failed");
      return errorAnswer(error);
    }
  };
}

/** 207: something failed that asking again does not mend; 202: the same request has more to do later. */
function statusOf({ summary, retry }: Reconciled): number {
  if (summary.outcome === "failed") return 207;
  return retry ? 202 : 200;
}

function header({ headers }: SyncRequest, name: string): string | undefined {
  const value = headers[name];
  return typeof value === "string" ? value : value?.[0];
}

import type { Diagnosis } from "../shared/core/check.ts";
import type { Plan } from "../shared/core/plan.ts";
import type { ReconcileRequest } from "../shared/core/request.ts";
import type { Status } from "../shared/core/status.ts";
import { examineElsewhere } from "../shared/doctor/elsewhere.ts";
import { examineReconciler } from "../shared/doctor/examine.ts";
import { InputError } from "../shared/errors.ts";
import { type Logger, traceFields } from "../shared/log.ts";
import { lookAtMesh } from "../shared/look/mesh.ts";
import { preview } from "../shared/preview.ts";
import { type Reconciled, reconcile } from "../shared/reconcile.ts";
import type { Run } from "../shared/run.ts";
import { logProgress, logReconciled } from "../shared/run-log.ts";
import type { Runtime } from "../shared/runtime.ts";
import { collectStatus, MEMBER_TIMEOUT_MS } from "../shared/status.ts";
import { type Answer, errorAnswer, refusal } from "./http/answer.ts";
import { csrfCookie, csrfTokenOf, isCsrfTokenRight, isSameOrigin, newCsrfToken } from "./http/csrf.ts";
import {
  parseAction,
  parseDoctorQuery,
  parseForm,
  parsePageQuery,
  parsePlanQuery,
  parseSync,
  planRequest,
  syncRequest,
} from "./http/input.ts";
import { levelOf } from "./http/level.ts";
import { logsUrl } from "./http/logs-url.ts";
import { type HttpRequest, header, type Routes, refuseUnrouted } from "./http/request.ts";
import { renderPage } from "./page/page.ts";
import type { LastSync } from "./page/view.ts";

/** For so long a status is answered again without looking. */
const CACHE_MS = 15_000;

/** So often a page that is left open loads itself anew. */
const REFRESH_SECONDS = 30;

const ROUTES: Routes = {
  "/": ["GET"],
  "/actions": ["POST"],
  "/sync": ["POST"],
  "/plan": ["GET"],
  "/status": ["GET"],
  "/doctor": ["GET"],
};

/**
 * The mesh over HTTP: look at it (`/status`), see what would be done (`/plan`), have it done (`/sync`); the page (`/`) and
 * its forms (`/actions`) are the same for a person. Whoever may invoke the function may do all of that: it sits behind IAM.
 * It never throws. `environment` is Cloud Run's: where traces and logs are.
 */
export function syncMesh(
  runtime: Runtime,
  environment: Readonly<Record<string, string | undefined>> = process.env,
): (request: HttpRequest) => Promise<Answer> {
  const project = environment["GOOGLE_CLOUD_PROJECT"];
  const logs = logsUrl(project, environment["K_SERVICE"]);
  let cached: { readonly at: number; readonly status: Status } | undefined;
  let lastSync: LastSync | undefined;

  const withRun = async <T>(log: Logger, use: (run: Run) => Promise<T>): Promise<T> =>
    await runtime.withRun(logProgress(log), use);

  async function sync(request: HttpRequest, log: Logger): Promise<Answer> {
    const body = request.rawBody ?? Buffer.alloc(0);
    const { request: order, dryRun } = parseSync(body, header(request, "content-type"));
    if (dryRun) return { status: 200, body: await withRun(log, (run) => preview(run, order)) };
    const reconciled = await reconciledBy(order, log);
    return { status: statusOf(reconciled), body: reconciled.summary };
  }

  async function reconciledBy(order: ReconcileRequest, log: Logger): Promise<Reconciled> {
    cached = undefined;
    const reconciled = await withRun(log, (run) => reconcile(run, order));
    cached = undefined;
    lastSync = { summary: reconciled.summary, at: new Date().toISOString() };
    logReconciled(log.child({ scope: order.scope }), reconciled);
    return reconciled;
  }

  async function status(request: HttpRequest, log: Logger): Promise<Status> {
    const fresh = /\bno-cache\b/.test(header(request, "cache-control") ?? "");
    if (fresh || cached === undefined || performance.now() - cached.at > CACHE_MS) {
      cached = { status: await withRun(log, (run) => collectStatus(run)), at: performance.now() };
    }
    return cached.status;
  }

  async function doctor(query: URLSearchParams, log: Logger): Promise<Diagnosis> {
    const member = parseDoctorQuery(query);
    const { signerUrl } = runtime;
    const checks = await withRun(log, ({ ports, spec, signal }) =>
      Promise.all([
        examineReconciler({ ports, spec, signerUrl, member, signal }),
        examineElsewhere(ports.examiners, member, signal),
      ]),
    );
    return { checks: checks.flat() };
  }

  /** From one look at everything. */
  async function statusAndPlan(
    order: ReconcileRequest,
    log: Logger,
  ): Promise<{ status: Status; plan: Plan }> {
    return await withRun(log, async (run) => {
      const seen = await lookAtMesh(run, "mesh", { memberTimeoutMs: MEMBER_TIMEOUT_MS });
      const [plan, shown] = await Promise.all([preview(run, order, seen), collectStatus(run, seen)]);
      cached = { status: shown, at: performance.now() };
      return { status: shown, plan };
    });
  }

  async function page(request: HttpRequest, query: URLSearchParams, log: Logger): Promise<Answer> {
    const { plan: planned, refresh: refreshes } = parsePageQuery(query);
    const { plan, status: shown } = await (planned === undefined
      ? status(request, log).then((seen) => ({ status: seen, plan: undefined }))
      : statusAndPlan(planRequest(planned), log));
    const csrfToken = csrfTokenOf(header(request, "cookie")) ?? newCsrfToken();
    const { html, contentSecurityPolicy, refresh } = renderPage({
      status: shown,
      ...(plan === undefined ? {} : { plan }),
      ...(lastSync === undefined ? {} : { lastSync }),
      ...(logs === undefined ? {} : { logsUrl: logs }),
      csrfToken,
      now: new Date(),
      refreshSeconds: refreshes === "off" ? 0 : REFRESH_SECONDS,
    });
    const headers = {
      "content-security-policy": contentSecurityPolicy,
      "set-cookie": csrfCookie(csrfToken),
      ...(refresh === undefined ? {} : { refresh }),
    };
    return { status: 200, headers, body: html };
  }

  async function act(request: HttpRequest, log: Logger): Promise<Answer> {
    const form = parseForm(request.rawBody ?? Buffer.alloc(0), header(request, "content-type"));
    const [origin, host, secFetchSite] = ["origin", "host", "sec-fetch-site"].map((name) =>
      header(request, name),
    );
    if (
      !isSameOrigin({ origin, host, secFetchSite }) ||
      !isCsrfTokenRight(form.get("csrf"), header(request, "cookie"))
    ) {
      const message = "the form was not sent by this page, or by an old copy of it";
      return refusal(403, { code: "Forbidden", message, cure: "load the page again", field: "csrf" });
    }
    const action = parseAction(form);
    if (action.action === "plan") {
      return { status: 303, headers: { location: `/?plan=${action.scope}#plan` }, body: "" };
    }
    await reconciledBy(syncRequest(action), log);
    return { status: 303, headers: { location: "/#last-sync" }, body: "" };
  }

  return async (request) => {
    const url = new URL(request.url, "http://localhost");
    const log = runtime.log.child(traceFields(header(request, "traceparent"), project));
    const refused = refuseUnrouted(request, url.pathname, ROUTES);
    if (refused !== undefined) return refused;
    try {
      if (url.pathname === "/") return await page(request, url.searchParams, log);
      if (url.pathname === "/actions") return await act(request, log);
      if (url.pathname === "/sync") return await sync(request, log);
      if (url.pathname === "/status") return { status: 200, body: await status(request, log) };
      if (url.pathname === "/doctor") return { status: 200, body: await doctor(url.searchParams, log) };
      const order = parsePlanQuery(url.searchParams);
      return { status: 200, body: await withRun(log, (run) => preview(run, order)) };
    } catch (error) {
      if (!(error instanceof InputError)) log[levelOf(error)]({ err: error }, "request failed");
      return errorAnswer(error);
    }
  };
}

/** 207: something failed that asking again does not mend; 202: the same request has more to do later. */
function statusOf({ summary, retry }: Reconciled): number {
  if (summary.outcome === "failed") return 207;
  return retry ? 202 : 200;
}

import type { Answer } from "../../http/answer.ts";
import { header } from "../../http/request.ts";
import type { Exchange } from "../../http/serve.ts";
import { csrfCookie, csrfTokenOf, newCsrfToken } from "../csrf.ts";
import { parsePageQuery, planRequest } from "../input.ts";
import type { Instance } from "../instance.ts";
import { renderPage } from "../page/page.ts";
import { statusAndPlan } from "./plan.ts";
import { currentStatus } from "./status.ts";

/** An open page loads itself again after this time. */
const REFRESH_SECONDS = 30;

/** `GET /`: the status for a person, with a plan if the query asks for one. */
export async function getPage(instance: Instance, exchange: Exchange): Promise<Answer> {
  const { request, query, log } = exchange;
  const { plan: scope, refresh: refreshes } = parsePageQuery(query);
  const view =
    scope === undefined
      ? { status: await currentStatus(instance, exchange) }
      : await statusAndPlan(instance, planRequest(scope), log);
  const lastSync = instance.lastSync.get();
  const { logsUrl } = instance;
  const csrfToken = csrfTokenOf(header(request, "cookie")) ?? newCsrfToken();
  const { html, contentSecurityPolicy, refresh } = renderPage({
    ...view,
    ...(scope === undefined ? {} : { planScope: scope }),
    ...(lastSync === undefined ? {} : { lastSync }),
    ...(logsUrl === undefined ? {} : { logsUrl }),
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

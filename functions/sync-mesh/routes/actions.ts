import { type Answer, refusal } from "../../http/answer.ts";
import { bodyOf, type HttpRequest, header } from "../../http/request.ts";
import type { Exchange } from "../../http/serve.ts";
import { isCsrfTokenRight, isSameOrigin } from "../csrf.ts";
import { parseAction, parseForm, syncRequest } from "../input.ts";
import type { Instance } from "../instance.ts";
import { reconcileAndKeep } from "./sync.ts";

/** `POST /actions`: the page's forms. The answer leads back to the page. */
export async function postAction(instance: Instance, { request, log }: Exchange): Promise<Answer> {
  const form = parseForm(bodyOf(request), header(request, "content-type"));
  if (!isSentByOwnPage(request, form)) {
    const message = "the form was not sent by this page, or by an old copy of it";
    return refusal(403, { code: "Forbidden", message, cure: "load the page again", field: "csrf" });
  }
  const action = parseAction(form);
  if (action.action === "plan") return seeOther(`/?plan=${action.scope}#plan`);
  await reconcileAndKeep(instance, syncRequest(action), log);
  return seeOther("/#last-sync");
}

function isSentByOwnPage(request: HttpRequest, form: URLSearchParams): boolean {
  const [origin, host, secFetchSite] = ["origin", "host", "sec-fetch-site"].map((name) =>
    header(request, name),
  );
  return (
    isSameOrigin({ origin, host, secFetchSite }) &&
    isCsrfTokenRight(form.get("csrf"), header(request, "cookie"))
  );
}

function seeOther(location: string): Answer {
  return { status: 303, headers: { location }, body: "" };
}

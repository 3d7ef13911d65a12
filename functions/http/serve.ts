import { type Logger, traceFields } from "../../shared/log.ts";
import { type Answer, refusal } from "./answer.ts";
import { bodyOf, type HttpRequest, header } from "./request.ts";

/** One request, with its query and its log. */
export interface Exchange {
  readonly request: HttpRequest;
  readonly query: URLSearchParams;
  /** Carries the trace of the request. */
  readonly log: Logger;
}

export type Handler = (exchange: Exchange) => Promise<Answer>;

/** The handlers of a function by path and method. */
export type Routes = Readonly<Record<string, Readonly<Partial<Record<"GET" | "POST", Handler>>>>>;

export interface Serving {
  readonly log: Logger;
  /** Cloud Run's environment, which names the project of the traces. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Additional fields of each log line about a request. */
  readonly fieldsOf?: (request: HttpRequest) => Readonly<Record<string, unknown>>;
  /** The answer if a handler throws; it also logs the error. */
  readonly answerError: (error: unknown, log: Logger) => Answer;
}

/** A Kubernetes name is short and a CSR is 1 KiB, so no honest request is larger. */
const BODY_MAX = 64 * 1024;

/** Answers every request by its route. Never throws. */
export function serve(
  routes: Routes,
  { log, environment, fieldsOf, answerError }: Serving,
): (request: HttpRequest) => Promise<Answer> {
  return async (request) => {
    const { pathname, searchParams: query } = new URL(request.url, "http://localhost");
    const handler = handlerOf(routes, pathname, request.method);
    if (typeof handler !== "function") return handler;
    if (bodyOf(request).length > BODY_MAX) return tooLarge();
    const trace = traceFields(header(request, "traceparent"), environment["GOOGLE_CLOUD_PROJECT"]);
    const traced = log.child({ ...trace, ...fieldsOf?.(request) });
    try {
      return await handler({ request, query, log: traced });
    } catch (error) {
      return answerError(error, traced);
    }
  };
}

function handlerOf(routes: Routes, path: string, method: string): Handler | Answer {
  const methods = Object.hasOwn(routes, path) ? routes[path] : undefined;
  if (methods === undefined) {
    const cure = `use ${Object.keys(routes).join(", ")}`;
    return refusal(404, { code: "NotFound", message: `${path} is not served`, cure });
  }
  const [, handler] = Object.entries(methods).find(([name]) => name === method) ?? [];
  if (handler !== undefined) return handler;
  const message = `${path} does not take ${method}`;
  const allow = Object.keys(methods).join(", ");
  return refusal(405, { code: "MethodNotAllowed", message, cure: `use ${allow}` }, { allow });
}

function tooLarge(): Answer {
  const message = `the body is larger than ${BODY_MAX} bytes`;
  return refusal(413, { code: "PayloadTooLarge", message, cure: "send less", field: "body" });
}

import { type Answer, refusal } from "./answer.ts";

/** As the Functions Framework hands it over; only what is read. */
export interface HttpRequest {
  readonly method: string;
  /** Path and query. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly rawBody?: Buffer;
}

/** The methods of each path that is served. */
export type Routes = Readonly<Record<string, readonly string[]>>;

/** More is no request of anybody who means well. */
const BODY_MAX = 64 * 1024;

/** What is answered to a request that no route takes, or that is too large; undefined for all others. */
export function refuseUnrouted(request: HttpRequest, path: string, routes: Routes): Answer | undefined {
  const methods = Object.hasOwn(routes, path) ? routes[path] : undefined;
  if (methods === undefined) {
    const cure = `use ${Object.keys(routes).join(", ")}`;
    return refusal(404, { code: "NotFound", message: `${path} is not served`, cure });
  }
  if (!methods.includes(request.method)) {
    const message = `${path} does not take ${request.method}`;
    const allow = methods.join(", ");
    return refusal(405, { code: "MethodNotAllowed", message, cure: `use ${allow}` }, { allow });
  }
  if ((request.rawBody?.length ?? 0) > BODY_MAX) {
    const message = `the body is larger than ${BODY_MAX} bytes`;
    return refusal(413, { code: "PayloadTooLarge", message, cure: "send less", field: "body" });
  }
  return undefined;
}

export function header({ headers }: HttpRequest, name: string): string | undefined {
  const value = headers[name];
  return typeof value === "string" ? value : value?.[0];
}

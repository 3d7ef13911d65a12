import { bearerToken, type LocalServer, listen, readBody, requestUrl } from "../../sandbox/google/http.ts";
import type { TokenRegistry } from "../../sandbox/google/tokens.ts";

/** A fault is the answer of one API: its status and, of ErrorInfo, the reason. */
export interface ProjectApiFault {
  readonly status: number;
  readonly reason?: string;
}

export interface ProjectApis extends LocalServer {
  unbilled: boolean;
  readonly disabled: Set<string>;
  readonly revoked: Set<string>;
  /** Rules of organization policies by constraint, as the API has them. */
  readonly policies: Map<string, readonly object[]>;
  fault: ProjectApiFault | undefined;
  /** What every API answers instead of what is asked for. */
  instead: object | undefined;
  /** Of every request, in order. */
  readonly quotaProjects: (string | undefined)[];
}

/** Google's own limits; https://cloud.google.com/service-usage/docs/reference/rest/v1/services/batchGet */
const SERVICES_MAX = 30;
const PERMISSIONS_MAX = 100;
const POLICY = /^\/v2\/projects\/shop\/policies\/(?<constraint>[\w.]+):getEffectivePolicy$/;

/**
 * Project `shop` (4711) as Cloud Billing, Service Usage, Organization Policy and Resource Manager tell of it, on one address. Answers have the documented
 * form: a number in place of the project's ID, no empty list, no `false`.
 */
export async function startProjectApis(tokens: TokenRegistry): Promise<ProjectApis> {
  const state: Omit<ProjectApis, keyof LocalServer> = {
    unbilled: false,
    disabled: new Set(),
    revoked: new Set(),
    policies: new Map(),
    fault: undefined,
    instead: undefined,
    quotaProjects: [],
  };
  const server = await listen(async (request, response) => {
    const header = request.headers["x-goog-user-project"];
    state.quotaProjects.push(Array.isArray(header) ? header[0] : header);
    const url = requestUrl(request);
    const known = tokens.email(bearerToken(request) ?? "") !== undefined;
    const text = (await readBody(request)).toString("utf8");
    const { status, body } = known ? answer(state, url, text) : refused(401);
    response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
  });
  return Object.assign(state, server);
}

interface Answer {
  readonly status: number;
  readonly body: object;
}

function answer(state: Omit<ProjectApis, keyof LocalServer>, url: URL, text: string): Answer {
  if (state.fault !== undefined) return refused(state.fault.status, state.fault.reason);
  if (state.instead !== undefined) return { status: 200, body: state.instead };
  const ok = (body: object): Answer => ({ status: 200, body });
  const constraint = POLICY.exec(url.pathname)?.groups?.["constraint"];
  if (constraint !== undefined) {
    const rules = state.policies.get(constraint) ?? [{ allowAll: true }];
    return ok({ name: `projects/4711/policies/${constraint}`, spec: { rules } });
  }
  switch (url.pathname) {
    case "/v1/projects/shop/billingInfo": {
      const names = { name: "projects/shop/billingInfo", projectId: "shop" };
      const account = { billingAccountName: "billingAccounts/012345-567890-ABCDEF", billingEnabled: true };
      return ok(state.unbilled ? names : { ...names, ...account });
    }
    case "/v1/projects/shop/services:batchGet": {
      const apis = url.searchParams
        .getAll("names")
        .map((name) => name.replace("projects/shop/services/", ""));
      if (apis.length > SERVICES_MAX) return refused(400);
      return ok({
        services: apis.map((api) => ({
          name: `projects/4711/services/${api}`,
          config: { name: api },
          state: state.disabled.has(api) ? "DISABLED" : "ENABLED",
          parent: "projects/4711",
        })),
      });
    }
    case "/v1/projects/shop:testIamPermissions": {
      const { permissions }: { permissions: string[] } = JSON.parse(text);
      if (permissions.length > PERMISSIONS_MAX) return refused(400);
      const granted = permissions.filter((permission) => !state.revoked.has(permission));
      return ok(granted.length === 0 ? {} : { permissions: granted });
    }
    default:
      return refused(403);
  }
}

/** https://cloud.google.com/apis/design/errors#error_model */
function refused(status: number, reason?: string): Answer {
  const details =
    reason === undefined
      ? {}
      : {
          details: [
            { "@type": "type.googleapis.com/google.rpc.ErrorInfo", reason, domain: "googleapis.com" },
          ],
        };
  return { status, body: { error: { code: status, message: "a refusal of the stand-in", ...details } } };
}

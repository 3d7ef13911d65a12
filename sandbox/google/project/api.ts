import { GoogleError } from "../http/google-error.ts";
import { type RestCall, type RestOptions, type RestRoute, startRestApi } from "../http/rest.ts";
import type { LocalServer } from "../http/server.ts";
import { findProject, type SandboxProject } from "../projects.ts";
import { assertUsable, mayDo, type UsableApis } from "./enabled-apis.ts";
import type { ProjectState } from "./state.ts";

export interface ProjectApisOptions extends Omit<RestOptions, "target"> {
  readonly state: ProjectState;
  /** IAM: may this account do that? Everybody may do everything unless given. */
  readonly allows?: (caller: string, permission: string) => boolean;
}

const BILLING = "cloudbilling.googleapis.com";
const ORG_POLICY = "orgpolicy.googleapis.com";
const QUOTAS = "cloudquotas.googleapis.com";
const RESOURCES = "cloudresourcemanager.googleapis.com";
const USAGE = "serviceusage.googleapis.com";

/** Google's own limits; https://cloud.google.com/service-usage/docs/reference/rest/v1/services/batchGet */
/** Where a limit without a region of its own applies here. */
const REGIONS = ["europe-west1", "europe-west4", "us-central1", "us-east1"];
const SERVICES_MAX = 30;
const PERMISSIONS_MAX = 100;
/** Constraints that are enforced or not; the others have values. */
const BOOLEAN = ["cloudfunctions.requireVPCConnector", "iam.managed.allowedPolicyMembers"];

type Handle = (state: ProjectState, call: RestCall, project: SandboxProject) => object;

/**
 * Cloud Billing, Service Usage, Resource Manager, Organization Policy and Cloud Quotas on one address, as far
 * as they tell of a project before anything is deployed, and with what gcloud needs to enable an API and to
 * link a billing account. Answers have the documented form: a number in place of the project's ID, no empty
 * list, no `false`.
 */
export function startProjectApis(options: ProjectApisOptions): Promise<LocalServer> {
  const { state, allows = () => true } = options;
  const apis: UsableApis = { state, allows };
  const route = (
    api: string,
    method: RestRoute["method"],
    path: string,
    permission: string,
    handle: Handle,
  ): RestRoute => ({
    method,
    path: new RegExp(`^/${path.replace("{project}", "projects/(?<project>[^/:]+)")}$`),
    handle(call) {
      assertUsable(apis, call, api);
      const project = findProject(state.projects, call.path["project"] ?? "");
      if (mayDo(apis, call.caller, project, permission)) return handle(state, call, project);
      throw new GoogleError(
        "PERMISSION_DENIED",
        `Permission '${permission}' denied on resource '//${RESOURCES}/projects/${project.id}' (or it may not exist).`,
      );
    },
  });
  const api = "(?<api>[^/:]+)";
  const read = "resourcemanager.projects.get";
  const link = "resourcemanager.projects.createBillingAssignment";
  const enable = "serviceusage.services.enable";
  const see = "serviceusage.services.get";
  return startRestApi({ ...options, target: "projects" }, [
    route(BILLING, "GET", "v1/{project}/billingInfo", read, billingInfo),
    route(BILLING, "PUT", "v1/{project}/billingInfo", link, setBillingInfo),
    route(USAGE, "GET", "v1/{project}/services:batchGet", see, getServices),
    route(USAGE, "GET", `v1/{project}/services/${api}`, see, (_, call, project) =>
      service(state, project, call.path["api"] ?? ""),
    ),
    route(USAGE, "POST", `v1/{project}/services/${api}:enable`, enable, enableService),
    route(
      USAGE,
      "POST",
      `v1/{project}/services/${api}:disable`,
      "serviceusage.services.disable",
      disableService,
    ),
    route(USAGE, "POST", "v1/{project}/services:batchEnable", enable, enableServices),
    route(RESOURCES, "POST", "v1/{project}:testIamPermissions", read, (_, call, project) =>
      testPermissions(apis, call, project),
    ),
    route(
      ORG_POLICY,
      "GET",
      "v2/{project}/policies/(?<constraint>[^/:]+):getEffectivePolicy",
      "orgpolicy.policy.get",
      effectivePolicy,
    ),
    route(
      QUOTAS,
      "GET",
      "v1/{project}/locations/global/services/(?<service>[^/]+)/quotaInfos/(?<quota>[^/]+)",
      "cloudquotas.quotas.get",
      quotaInfo,
    ),
  ]);
}

function billingInfo(state: ProjectState, _: RestCall, { id }: SandboxProject): object {
  const account = state.billingAccount(id);
  const names = { name: `projects/${id}/billingInfo`, projectId: id };
  return account === undefined ? names : { ...names, billingAccountName: account, billingEnabled: true };
}

const ACCOUNT = /^billingAccounts\/[0-9A-F]{6}-[0-9A-F]{6}-[0-9A-F]{6}$/;

/** An empty name takes the account away. */
function setBillingInfo(state: ProjectState, call: RestCall, project: SandboxProject): object {
  const { billingAccountName = "" } = fieldsOf(call);
  if (billingAccountName !== "" && !ACCOUNT.test(String(billingAccountName))) {
    throw new GoogleError("INVALID_ARGUMENT", "Request contains an invalid argument.");
  }
  state.bill(project.id, billingAccountName === "" ? undefined : String(billingAccountName));
  return billingInfo(state, call, project);
}

function getServices(state: ProjectState, { query }: RestCall, project: SandboxProject): object {
  const names = query.getAll("names");
  if (names.length === 0 || names.length > SERVICES_MAX) {
    throw new GoogleError("INVALID_ARGUMENT", `Between 1 and ${SERVICES_MAX} services can be asked for.`);
  }
  return { services: names.map((name) => service(state, project, name.replace(/^.*\//, ""))) };
}

function service(state: ProjectState, { id, number }: SandboxProject, api: string): object {
  return {
    name: `projects/${number}/services/${api}`,
    config: { name: api },
    state: state.isEnabled(id, api) ? "ENABLED" : "DISABLED",
    parent: `projects/${number}`,
  };
}

function enableService(state: ProjectState, { path }: RestCall, project: SandboxProject): object {
  const { api = "" } = path;
  state.enable(project.id, api);
  return done({ service: service(state, project, api) });
}

function disableService(state: ProjectState, { path }: RestCall, project: SandboxProject): object {
  const { api = "" } = path;
  state.disable(project.id, api);
  return done({ service: service(state, project, api) });
}

function enableServices(state: ProjectState, call: RestCall, project: SandboxProject): object {
  const { serviceIds } = fieldsOf(call);
  const apis = Array.isArray(serviceIds) ? serviceIds.map(String) : [];
  for (const api of apis) state.enable(project.id, api);
  return done({ services: apis.map((api) => service(state, project, api)) });
}

/** At once; the real API takes seconds, and calls are refused for a while longer. */
function done(response: object): object {
  return { name: "operations/acat.p2-sandbox", done: true, response };
}

function testPermissions(apis: UsableApis, call: RestCall, project: SandboxProject): object {
  const { permissions } = fieldsOf(call);
  const asked = Array.isArray(permissions) ? permissions.map(String) : [];
  if (asked.length > PERMISSIONS_MAX || asked.some((each) => !/^\w+\.\w+\.\w+$/.test(each))) {
    throw new GoogleError("INVALID_ARGUMENT", "Request contains an invalid argument.");
  }
  const granted = asked.filter((permission) => mayDo(apis, call.caller, project, permission));
  return granted.length === 0 ? {} : { permissions: granted };
}

function effectivePolicy(state: ProjectState, { path }: RestCall, { id, number }: SandboxProject): object {
  const { constraint = "" } = path;
  const open = BOOLEAN.includes(constraint) ? { enforce: false } : { allowAll: true };
  return {
    name: `projects/${number}/policies/${constraint}`,
    spec: { rules: state.rules(id, constraint) ?? [open] },
  };
}

function quotaInfo(state: ProjectState, { path }: RestCall, { id, number }: SandboxProject): object {
  const { service: api = "", quota = "" } = path;
  const entries = api === "run.googleapis.com" ? state.quota(id, quota) : undefined;
  if (entries === undefined) {
    throw new GoogleError("NOT_FOUND", `Quota info ${quota} of service ${api} was not found.`);
  }
  return {
    name: `projects/${number}/locations/global/services/${api}/quotaInfos/${quota}`,
    quotaId: quota,
    service: api,
    containerType: "PROJECT",
    dimensions: ["region"],
    // The more specific ones come first.
    dimensionsInfos: entries
      .toSorted((a, b) => Number(a.region === undefined) - Number(b.region === undefined))
      .map(({ region, value }) => ({
        ...(region === undefined ? {} : { dimensions: { region } }),
        applicableLocations: region === undefined ? REGIONS : [region],
        details: { value },
      })),
  };
}

function fieldsOf({ body }: RestCall): Readonly<Record<string, unknown>> {
  if (typeof body === "object" && body !== null && !Array.isArray(body)) return { ...body };
  throw new GoogleError("INVALID_ARGUMENT", "Invalid JSON payload received.");
}

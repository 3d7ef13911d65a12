import { MeshjoinError } from "../errors.ts";
import type { ProjectFacts, Restriction } from "../ports.ts";
import { fromGoogleError, property } from "./google-client.ts";
import { askGoogle } from "./google-rest.ts";

export interface ProjectFactsOptions {
  /** Instead of every API's own address. */
  readonly endpoint?: string;
  readonly accessToken: () => Promise<string>;
  /** Credentials of a person have no project of their own, whose enabled APIs count. */
  readonly quotaProject: string;
}

interface Question {
  readonly api: string;
  /** `v1` unless given. */
  readonly version?: string;
  readonly path: string;
  readonly attempt: string;
  readonly permission: string;
  readonly project: string;
  readonly body?: object;
  readonly signal: AbortSignal | undefined;
}

/** Of one `testIamPermissions`; more are refused. */
const PERMISSIONS_AT_ONCE = 100;

/**
 * Four APIs, a GET or a POST each, which need no client library:
 * https://cloud.google.com/billing/docs/reference/rest/v1/projects/getBillingInfo,
 * https://cloud.google.com/service-usage/docs/reference/rest/v1/services/batchGet,
 * https://cloud.google.com/resource-manager/docs/reference/orgpolicy/rest/v2/projects.policies/getEffectivePolicy,
 * https://cloud.google.com/resource-manager/reference/rest/v1/projects/testIamPermissions
 */
export function googleProjectFacts(options: ProjectFactsOptions): ProjectFacts {
  return {
    isBilled(project, signal) {
      const question = {
        api: "cloudbilling.googleapis.com",
        path: `projects/${project}/billingInfo`,
        attempt: `read whether project ${project} has billing`,
        permission: "resourcemanager.projects.get",
        project,
        signal,
      };
      return ask(options, question, billedIn);
    },
    enabledApis(project, apis, signal) {
      const names = apis.map((api) => ["names", `projects/${project}/services/${api}`]);
      const question = {
        api: "serviceusage.googleapis.com",
        path: `projects/${project}/services:batchGet?${new URLSearchParams(names)}`,
        attempt: `read which APIs of project ${project} are enabled`,
        permission: "serviceusage.services.get",
        project,
        signal,
      };
      return ask(options, question, (answer) => enabledIn(answer, apis));
    },
    restriction(project, constraint, signal) {
      const question = {
        api: "orgpolicy.googleapis.com",
        version: "v2",
        path: `projects/${project}/policies/${constraint}:getEffectivePolicy`,
        attempt: `read the policy ${constraint} of project ${project}`,
        permission: "orgpolicy.policy.get",
        project,
        signal,
      };
      return ask(options, question, restrictionIn);
    },
    async grantedPermissions(project, permissions, signal) {
      const granted = await Promise.all(
        slices(permissions, PERMISSIONS_AT_ONCE).map((some) => {
          const question = {
            api: "cloudresourcemanager.googleapis.com",
            path: `projects/${project}:testIamPermissions`,
            attempt: `read what the caller may do in project ${project}`,
            permission: "resourcemanager.projects.get",
            project,
            body: { permissions: some },
            signal,
          };
          // Google leaves an empty list out.
          return ask(options, question, (answer) => strings(property(answer, "permissions")));
        }),
      );
      return new Set(granted.flat());
    },
  };
}

/** `read` throws where the answer has another form than the documented one. */
async function ask<T>(
  options: ProjectFactsOptions,
  question: Question,
  read: (answer: object) => T,
): Promise<T> {
  const { accessToken, quotaProject } = options;
  const { api, version = "v1", path, attempt, permission, project, body, signal } = question;
  const url = `${options.endpoint ?? `https://${api}`}/${version}/${path}`;
  try {
    const answer = await askGoogle({
      url,
      accessToken,
      quotaProject,
      signal,
      ...(body === undefined ? {} : { body }),
    });
    if (typeof answer === "object" && answer !== null) return read(answer);
    throw unreadable();
  } catch (error) {
    if (error instanceof MeshjoinError) throw error;
    // The quota project is refused before the call is looked at.
    const denied = property(error, "reason") === "USER_PROJECT_DENIED";
    const needed = denied
      ? { permission: "serviceusage.services.use", project: quotaProject }
      : { permission, project };
    throw fromGoogleError(error, {
      attempt,
      permission: needed.permission,
      resource: `project ${needed.project}`,
      fields: { ...needed, api },
    });
  }
}

function unreadable(): Error {
  return new Error("the answer has another form than the documented one");
}

/** What is `false` is left out. */
function billedIn(info: object): boolean {
  if (typeof property(info, "name") !== "string") throw unreadable();
  return property(info, "billingEnabled") === true;
}

/** `projects/NUMBER/services/API`, whatever the project was called in the question. */
function enabledIn(answer: object, apis: readonly string[]): ReadonlySet<string> {
  const services = property(answer, "services");
  const listed: unknown[] = Array.isArray(services) ? services : [];
  const states = new Map(
    listed.map((service) => [
      String(property(service, "name")).replace(/^.*\//, ""),
      property(service, "state"),
    ]),
  );
  if (apis.some((api) => !states.has(api))) throw unreadable();
  return new Set(apis.filter((api) => states.get(api) === "ENABLED"));
}

/** An effective policy has a rule even where it allows everything, or enforces nothing. */
function restrictionIn(policy: object): Restriction | undefined {
  const rules = property(property(policy, "spec"), "rules");
  const list: unknown[] = Array.isArray(rules) ? rules : [];
  if (list.length === 0) throw unreadable();
  if (list.some((rule) => property(rule, "enforce") === true)) return { kind: "enforced" };
  if (list.some((rule) => property(rule, "denyAll") === true)) {
    return { kind: "values", allowed: [], denied: [] };
  }
  const values = list.map((rule) => property(rule, "values")).filter((value) => value !== undefined);
  if (values.length === 0) return undefined;
  const named = (name: string) => values.flatMap((value) => strings(property(value, name)));
  return { kind: "values", allowed: named("allowedValues"), denied: named("deniedValues") };
}

function strings(list: unknown): string[] {
  return Array.isArray(list) ? list.map(String) : [];
}

function slices<T>(list: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(list.length / size) }, (_, index) =>
    list.slice(index * size, (index + 1) * size),
  );
}

import type { ProjectFacts, Restriction } from "../ports/project-facts.ts";
import { property } from "./google-client.ts";
import { askProject, type ProjectApiOptions, strings, unreadableAnswer } from "./project-question.ts";

export interface ProjectFactsOptions extends ProjectApiOptions {
  /** The project whose enabled APIs count; a person's credentials have none of their own. */
  readonly consumer: string;
}

/** The limit of one `testIamPermissions`. */
const PERMISSIONS_AT_ONCE = 100;

/**
 * Four APIs, a GET or a POST each, which need no client library:
 * https://cloud.google.com/billing/docs/reference/rest/v1/projects/getBillingInfo,
 * https://cloud.google.com/service-usage/docs/reference/rest/v1/services/batchGet,
 * https://cloud.google.com/resource-manager/docs/reference/orgpolicy/rest/v2/projects.policies/getEffectivePolicy,
 * https://cloud.google.com/resource-manager/reference/rest/v1/projects/testIamPermissions
 */
export function googleProjectFacts(options: ProjectFactsOptions): ProjectFacts {
  const { consumer } = options;
  return {
    isBilled(project, signal) {
      const question = {
        api: "cloudbilling.googleapis.com",
        path: `projects/${project}/billingInfo`,
        attempt: `read whether project ${project} has billing`,
        permission: "resourcemanager.projects.get",
        project,
        consumer,
        signal,
      };
      return askProject(options, question, billedIn);
    },
    enabledApis(project, apis, signal) {
      const names = apis.map((api) => ["names", `projects/${project}/services/${api}`]);
      const question = {
        api: "serviceusage.googleapis.com",
        path: `projects/${project}/services:batchGet?${new URLSearchParams(names)}`,
        attempt: `read which APIs of project ${project} are enabled`,
        permission: "serviceusage.services.get",
        project,
        consumer,
        signal,
      };
      return askProject(options, question, (answer) => enabledIn(answer, apis));
    },
    restriction(project, constraint, signal) {
      const question = {
        api: "orgpolicy.googleapis.com",
        version: "v2",
        path: `projects/${project}/policies/${constraint}:getEffectivePolicy`,
        attempt: `read the policy ${constraint} of project ${project}`,
        permission: "orgpolicy.policy.get",
        project,
        consumer,
        signal,
      };
      return askProject(options, question, restrictionIn);
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
            consumer,
            body: { permissions: some },
            signal,
          };
          // Google leaves an empty list out.
          return askProject(options, question, (answer) => strings(property(answer, "permissions")));
        }),
      );
      return new Set(granted.flat());
    },
  };
}

/** Google leaves a `false` out. */
function billedIn(info: object): boolean {
  if (typeof property(info, "name") !== "string") throw unreadableAnswer();
  return property(info, "billingEnabled") === true;
}

/** Names are `projects/NUMBER/services/API`, also if the question had the project's ID. */
function enabledIn(answer: object, apis: readonly string[]): ReadonlySet<string> {
  const services = property(answer, "services");
  const entries: unknown[] = Array.isArray(services) ? services : [];
  const states = new Map(
    entries.map((service) => [
      String(property(service, "name")).replace(/^.*\//, ""),
      property(service, "state"),
    ]),
  );
  if (apis.some((api) => !states.has(api))) throw unreadableAnswer();
  return new Set(apis.filter((api) => states.get(api) === "ENABLED"));
}

/** An effective policy has a rule even if it allows everything or enforces nothing. */
function restrictionIn(policy: object): Restriction | undefined {
  const rules = property(property(policy, "spec"), "rules");
  const list: unknown[] = Array.isArray(rules) ? rules : [];
  if (list.length === 0) throw unreadableAnswer();
  if (list.some((rule) => property(rule, "enforce") === true)) return { kind: "enforced" };
  if (list.some((rule) => property(rule, "denyAll") === true)) {
    return { kind: "values", allowed: [], denied: [] };
  }
  const values = list.map((rule) => property(rule, "values")).filter((value) => value !== undefined);
  if (values.length === 0) return undefined;
  const named = (name: string) => values.flatMap((value) => strings(property(value, name)));
  return { kind: "values", allowed: named("allowedValues"), denied: named("deniedValues") };
}

function slices<T>(list: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(list.length / size) }, (_, index) =>
    list.slice(index * size, (index + 1) * size),
  );
}

import { type Check, type Subject, unknown } from "../../../shared/core/answers/check.ts";
import type { ErrorCode } from "../../../shared/core/answers/error-codes.ts";
import { ours } from "../../../shared/doctor/google.ts";
import { enableApi, type Grants } from "../../../shared/doctor/grants.ts";
import type { ProjectFacts } from "../../../shared/ports/project-facts.ts";

/** The ports and grants of every check of a project. */
export interface Questions {
  readonly facts: ProjectFacts;
  readonly grants: Grants;
  readonly signal: AbortSignal;
}

/** The smallest role that has the permission a call lacked. */
const READERS: Readonly<Record<string, string>> = {
  "cloudquotas.quotas.get": "roles/cloudquotas.viewer",
  "compute.projects.get": "roles/compute.viewer",
  "compute.regions.get": "roles/compute.viewer",
  "orgpolicy.policy.get": "roles/orgpolicy.policyViewer",
  "resourcemanager.projects.get": "roles/browser",
  "serviceusage.services.get": "roles/serviceusage.serviceUsageViewer",
  "serviceusage.services.use": "roles/serviceusage.serviceUsageConsumer",
};

/** A fact that could not be read is `unknown`. */
export function notKnown(
  subject: Subject,
  project: string,
  error: unknown,
  { grants }: Pick<Questions, "grants">,
): Check {
  const { message, code, cure, fields } = ours(error);
  return unknown(subject, `${project}: ${message}`, cureOf(code, fields, grants) ?? cure);
}

function cureOf(
  code: ErrorCode,
  fields: Readonly<Record<string, unknown>>,
  grants: Grants,
): string | undefined {
  if (code === "ServiceDisabled") return enableApi(String(fields["api"]), String(fields["consumer"]));
  const role = READERS[String(fields["permission"])];
  return code === "PermissionDenied" && role !== undefined
    ? grants.onProject(String(fields["project"]), role)
    : undefined;
}

import { type Check, type Diagnosis, fine } from "../../../shared/core/check.ts";
import type { MeshSpec } from "../../../shared/core/spec.ts";
import { checkCredentials } from "../../../shared/doctor/credentials.ts";
import { callersGrants, type Grants } from "../../../shared/doctor/grants.ts";
import { InputError } from "../../../shared/errors.ts";
import type { PreflightPorts } from "../../../shared/operator.ts";
import type { Host } from "../../host.ts";
import { CONFIGURATION, configure } from "../configure.ts";
import { checkApis } from "./apis.ts";
import { checkBilling } from "./billing.ts";
import { checkClusters } from "./clusters.ts";
import { checkPermissions } from "./permissions.ts";
import { checkPolicies } from "./policies.ts";
import { checkServiceIdentities } from "./service-identities.ts";

const DEADLINE_MS = 60_000;

/** What a first apply needs of the projects; writes nothing. Without configuration or credentials there is no more to see. */
export async function diagnoseProjects(host: Host): Promise<Diagnosis> {
  const configured = configure(host);
  if ("faults" in configured) return { checks: configured.faults };
  const { operator } = configured;
  const { spec, inSandbox } = operator;
  if (inSandbox) throw inTheSandbox();
  const ports = await operator.openPreflight();
  const { check: credentials, email } = await checkCredentials(ports.caller);
  const first = [fine(CONFIGURATION, describe(spec)), credentials];
  if (credentials.state !== "ok") return { checks: first };
  const grants = callersGrants(email);
  const checks = await checkProjects(ports, spec, grants);
  return { checks: [...first, ...checks, checkServiceIdentities(spec.rootProject)] };
}

async function checkProjects(
  { facts, directory }: PreflightPorts,
  spec: MeshSpec,
  grants: Grants,
): Promise<readonly Check[]> {
  const signal = AbortSignal.timeout(DEADLINE_MS);
  const { rootProject } = spec;
  const projects = [...new Set([rootProject, ...spec.projects])];
  const questions = { facts, quotaProject: rootProject, grants, signal };
  const partOf = (project: string) => ({
    isMeshjoins: project === rootProject,
    isMembers: spec.projects.includes(project),
  });
  const checks = await Promise.all<Check | readonly Check[]>([
    ...projects.map((project) => checkBilling(questions, project)),
    checkApis(questions, rootProject),
    ...projects.map((project) => checkPermissions(questions, project, partOf(project))),
    checkPolicies(questions, rootProject),
    ...spec.projects.map((project) => checkClusters(directory, project, { spec, grants, signal })),
  ]);
  return checks.flat();
}

function describe({ meshId, rootProject, projects }: MeshSpec): string {
  return `mesh ${meshId}: the functions in ${rootProject}, clusters in ${projects.join(", ")}`;
}

function inTheSandbox(): InputError {
  return new InputError(
    "--preflight asks Google Cloud, which the sandbox has no stand-in of for this; unset MESHJOIN_CONTAINER_ENDPOINT",
    { code: "InvalidInput", field: "--preflight" },
  );
}

import { type Check, type Diagnosis, fine, unknown } from "../../../shared/core/answers/check.ts";
import { sourceIds } from "../../../shared/core/cluster/sources.ts";
import type { MeshSpec } from "../../../shared/core/spec.ts";
import { checkCredentials } from "../../../shared/doctor/credentials.ts";
import { callersGrants, type Grants } from "../../../shared/doctor/grants.ts";
import type { PreflightPorts } from "../../../shared/operator.ts";
import type { Host } from "../../host.ts";
import { BUILD_COMMAND, type ManifestFile } from "../../manifest.ts";
import { CONFIGURATION, configure } from "../configure.ts";
import { checkApis } from "./apis.ts";
import { checkBilling } from "./billing.ts";
import { checkClusters } from "./clusters.ts";
import { checkPermissions } from "./permissions.ts";
import { checkPolicies } from "./policies.ts";
import { checkClusterQuotas, checkRunQuotas } from "./quotas.ts";
import { checkRoom, type Istiods, istiodsOf } from "./room.ts";
import { checkServiceIdentities } from "./service-identities.ts";
import { checkServices } from "./services.ts";

const DEADLINE_MS = 60_000;

export interface Preflight {
  /** The region of the functions and, if there is no cluster yet, of the first one. */
  readonly region: string;
}

/** Checks the needs of a first apply; writes nothing. Stops at faults of configuration or credentials. */
export async function diagnoseProjects(host: Host, { region }: Preflight): Promise<Diagnosis> {
  const configured = configure(host);
  if ("faults" in configured) return { checks: configured.faults };
  const { operator } = configured;
  const { spec } = operator;
  const ports = await operator.openPreflight();
  try {
    const { check: credentials, email } = await checkCredentials(ports.caller);
    const first = [fine(CONFIGURATION, describe(spec)), credentials];
    if (credentials.state !== "ok") return { checks: first };
    const signal = AbortSignal.timeout(DEADLINE_MS);
    const question = { spec, region, email, signal, grants: callersGrants(email) };
    const [projects, clusters] = await Promise.all([
      checkProjects(ports, question),
      checkCandidates(ports, question, await builtIstiods(host.manifest, ports)),
    ]);
    return { checks: [...first, ...projects, ...clusters, checkServiceIdentities(spec.rootProject)] };
  } finally {
    await ports.fleet.close();
  }
}

interface Question extends Preflight {
  readonly spec: MeshSpec;
  readonly email: string | undefined;
  readonly grants: Grants;
  readonly signal: AbortSignal;
}

async function checkProjects(
  { facts, quotas }: PreflightPorts,
  question: Question,
): Promise<readonly Check[]> {
  const { spec, grants, signal } = question;
  const { rootProject } = spec;
  const projects = [...new Set([rootProject, ...spec.projects])];
  const questions = { facts, grants, signal };
  const partOf = (project: string) => ({
    isMeshjoins: project === rootProject,
    isMembers: spec.projects.includes(project),
  });
  const checks = await Promise.all<Check | readonly Check[]>([
    ...projects.map((project) => checkBilling(questions, project)),
    checkApis(questions, rootProject),
    ...projects.map((project) => checkPermissions(questions, project, partOf(project))),
    checkPolicies(questions, rootProject),
    checkRunQuotas({ ...question, quotas }, rootProject),
  ]);
  return checks.flat();
}

/** The clusters that may join, or whether a first one can be made. */
async function checkCandidates(
  { sources, fleet, quotas }: PreflightPorts,
  question: Question,
  istiods: Istiods | undefined,
): Promise<readonly Check[]> {
  const { spec, grants, signal } = question;
  const listings = await Promise.all(
    sources.configured(spec).map(async (source) => ({
      id: source.id,
      ...(await checkClusters(source, { spec, grants, signal })),
    })),
  );
  const clusters = listings.flatMap((each) => each.clusters);
  const complete = listings.every((each) => each.complete);
  const empty = spec.projects.filter((project) =>
    listings.some((each) => each.id === project && each.complete && each.clusters.length === 0),
  );
  const checks = await Promise.all([
    istiods === undefined
      ? clusters.slice(0, 1).map(notBuilt)
      : Promise.all(clusters.map((cluster) => checkRoom(fleet, cluster, { istiods, grants, signal }))),
    checkServices(fleet, clusters, { complete, signal }),
    ...empty.map((project) => checkClusterQuotas({ ...question, quotas }, project)),
  ]);
  return [...listings.flatMap((each) => each.checks), ...checks.flat()];
}

async function builtIstiods(
  manifest: ManifestFile,
  { template }: PreflightPorts,
): Promise<Istiods | undefined> {
  return (await manifest.renderer()) === undefined ? undefined : istiodsOf(await template());
}

function notBuilt(): Check {
  const subject = { name: "room", account: "caller" } as const;
  const message = "dist/ holds no manifest, so it is not known how much istiod reserves of a cluster";
  return unknown(subject, message, BUILD_COMMAND);
}

function describe(spec: MeshSpec): string {
  const { meshId, rootProject } = spec;
  return `mesh ${meshId}: the functions in ${rootProject}, clusters in ${sourceIds(spec).join(", ")}`;
}

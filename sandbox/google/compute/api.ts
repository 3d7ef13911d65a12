import { randomInt } from "node:crypto";
import { GoogleError } from "../http/google-error.ts";
import { type RestCall, type RestOptions, type RestRoute, startRestApi } from "../http/rest.ts";
import type { LocalServer } from "../http/server.ts";
import { assertEnabled } from "../project/enabled-apis.ts";
import type { ProjectState } from "../project/state.ts";
import { findProject, type SandboxProject } from "../projects.ts";
import { type ComputeQuotas, createComputeQuotas } from "./quotas.ts";
import { parseRule, type Rule } from "./rule.ts";

/**
 * IAM's permissions of the calls served here;
 * https://cloud.google.com/compute/docs/reference/rest/v1/firewalls
 */
type ComputePermission =
  `compute.${"firewalls" | "globalOperations" | "networks" | "projects" | "regions"}.${string}`;

export interface ComputeOptions extends Omit<RestOptions, "target"> {
  readonly projects: readonly SandboxProject[];
  /** IAM: may this account do that? Everybody may do everything unless given. */
  readonly allows?: (caller: string, permission: ComputePermission) => boolean;
  /** Of a project, beside `default`, which every project has. */
  readonly networks?: (project: string) => readonly string[];
  readonly now?: () => Date;
  /** Enabled APIs of the project, and what of it people may do; everything unless given. */
  readonly state?: ProjectState;
}

export interface ComputeApi extends LocalServer {
  readonly quotas: ComputeQuotas;
  /** The rules of a network as they are now. */
  rules(project: string, network: string): readonly Rule[];
  /** As an owner of the project would. */
  create(project: string, stated: Readonly<Record<string, unknown>>): void;
  /** Does nothing where there is no such rule. */
  remove(project: string, name: string): void;
}

interface State {
  readonly options: ComputeOptions;
  /** By `project/name`. */
  readonly rules: Map<string, Rule>;
  readonly quotas: ComputeQuotas;
  readonly operations: Map<string, object>;
}

const API = "compute.googleapis.com";
const ROOT = "https://www.googleapis.com/compute/v1";
const PROJECT_PATH = "^/compute/v1/projects/(?<project>[^/]+)";
const FIREWALLS = `${PROJECT_PATH}/global/firewalls`;
const FIREWALL = `${FIREWALLS}/(?<name>[^/]+)`;
const OPERATION = `${PROJECT_PATH}/global/operations/(?<operation>[^/]+)`;
const NETWORK = `${PROJECT_PATH}/global/networks/(?<network>[^/]+)`;
const REGION = `${PROJECT_PATH}/regions/(?<region>[^/]+)`;

/**
 * compute.googleapis.com v1 over REST, as far as firewall rules and quotas go; there are no firewall
 * policies. Nothing outlasts it.
 */
export async function startCompute(options: ComputeOptions): Promise<ComputeApi> {
  const state: State = {
    options,
    rules: new Map(),
    quotas: createComputeQuotas(),
    operations: new Map(),
  };
  const server = await startRestApi({ ...options, target: "compute" }, routes(state));
  return {
    ...server,
    quotas: state.quotas,
    rules: (project, network) => rulesOf(state, project, network),
    create: (project, rule) => void addRule(state, findProject(options.projects, project), rule),
    remove: (project, name) => void state.rules.delete(`${project}/${name}`),
  };
}

function routes(state: State): RestRoute[] {
  const route = (
    method: RestRoute["method"],
    path: string,
    permissions: readonly ComputePermission[],
    handle: (state: State, call: RestCall, project: SandboxProject) => object,
  ): RestRoute => ({
    method,
    path: new RegExp(`${path}$`),
    handle(call) {
      const project = findProject(state.options.projects, call.path["project"] ?? "");
      if (state.options.state !== undefined) assertEnabled(state.options.state, project, API);
      for (const permission of permissions) authorize(state, call, project, permission);
      return handle(state, call, project);
    },
  });
  const policy = "compute.networks.updatePolicy";
  return [
    route("GET", PROJECT_PATH, ["compute.projects.get"], getProject),
    route("GET", REGION, ["compute.regions.get"], getRegion),
    route("GET", FIREWALLS, ["compute.firewalls.list"], listRules),
    route("POST", FIREWALLS, ["compute.firewalls.create", policy], insertRule),
    route("GET", FIREWALL, ["compute.firewalls.get"], (_, call, project) => ruleOf(state, call, project)),
    route("PATCH", FIREWALL, ["compute.firewalls.update", policy], patchRule),
    route("DELETE", FIREWALL, ["compute.firewalls.delete", policy], deleteRule),
    route("GET", OPERATION, ["compute.globalOperations.get"], getOperation),
    route("POST", `${OPERATION}/wait`, ["compute.globalOperations.get"], getOperation),
    route("GET", `${NETWORK}/getEffectiveFirewalls`, ["compute.networks.getEffectiveFirewalls"], effective),
    route(
      "GET",
      `${REGION}/firewallPolicies/getEffectiveFirewalls`,
      ["compute.networks.getRegionEffectiveFirewalls"],
      effective,
    ),
  ];
}

function authorize(
  { options }: State,
  { caller, path }: RestCall,
  project: SandboxProject,
  permission: ComputePermission,
) {
  const isGranted = options.state?.isGranted(project.id, permission) ?? true;
  if (isGranted && (options.allows?.(caller, permission) ?? true)) return;
  const { name, network } = path;
  const resource =
    name === undefined
      ? `projects/${project.id}${network === undefined ? "" : `/global/networks/${network}`}`
      : `projects/${project.id}/global/firewalls/${name}`;
  throw new GoogleError("PERMISSION_DENIED", `Required '${permission}' permission for '${resource}'`);
}

function rulesOf({ rules }: State, project: string, network: string): Rule[] {
  const url = networkUrl(project, network);
  return [...rules.values()].filter((rule) => rule.network === url);
}

function networkUrl(project: string, network: string): string {
  return `${ROOT}/projects/${project}/global/networks/${network}`;
}

const IN_PROJECT =
  /^(?:(?:https?:\/\/[^/]+\/compute\/v1\/)?projects\/(?<project>[^/]+)\/)?global\/networks\/(?<name>[^/]+)$/;

/** Whole, or from `projects/` or `global/` on, as the API takes it. */
function existingNetwork({ options }: State, project: SandboxProject, stated: unknown): string {
  const groups = IN_PROJECT.exec(typeof stated === "string" ? stated : "global/networks/default")?.groups;
  const name = groups?.["name"] ?? "";
  const own = findProject(options.projects, groups?.["project"] ?? project.id).id === project.id;
  if (own && ["default", ...(options.networks?.(project.id) ?? [])].includes(name)) return name;
  throw new GoogleError(
    "NOT_FOUND",
    `The resource 'projects/${project.id}/global/networks/${name}' was not found`,
  );
}

function getProject({ quotas }: State, _: RestCall, { id }: SandboxProject): object {
  return {
    kind: "compute#project",
    name: id,
    quotas: quotas.ofProject(id),
    selfLink: `${ROOT}/projects/${id}`,
  };
}

const REGION_NAME = /^[a-z]+-[a-z]+\d+$/;

function getRegion({ quotas }: State, { path }: RestCall, { id }: SandboxProject): object {
  const { region = "" } = path;
  if (!REGION_NAME.test(region)) {
    throw new GoogleError("NOT_FOUND", `The resource 'projects/${id}/regions/${region}' was not found`);
  }
  return {
    kind: "compute#region",
    name: region,
    status: "UP",
    quotas: quotas.ofRegion(id, region),
    selfLink: `${ROOT}/projects/${id}/regions/${region}`,
  };
}

function bodyOf({ body }: RestCall): Readonly<Record<string, unknown>> {
  if (typeof body === "object" && body !== null && !Array.isArray(body)) return { ...body };
  throw new GoogleError("INVALID_ARGUMENT", "Invalid JSON payload received.");
}

function insertRule(state: State, call: RestCall, project: SandboxProject): object {
  const { id, selfLink } = addRule(state, project, bodyOf(call));
  return finished(state, project, { operationType: "insert", targetId: id, targetLink: selfLink });
}

function addRule(state: State, project: SandboxProject, asked: Readonly<Record<string, unknown>>): Rule {
  const rule = parseRule(asked);
  const network = networkUrl(project.id, existingNetwork(state, project, asked["network"]));
  const selfLink = linkOf(project, rule.name);
  if (state.rules.has(`${project.id}/${rule.name}`)) {
    throw new GoogleError(
      "ALREADY_EXISTS",
      `The resource 'projects/${project.id}/global/firewalls/${rule.name}' already exists`,
    );
  }
  const added: Rule = {
    kind: "compute#firewall",
    id: newId(),
    creationTimestamp: now(state),
    ...rule,
    network,
    selfLink,
  };
  state.rules.set(`${project.id}/${rule.name}`, added);
  return added;
}

function patchRule(state: State, call: RestCall, project: SandboxProject): object {
  const before = ruleOf(state, call, project);
  const { id, kind, creationTimestamp, network, selfLink } = before;
  const rule = parseRule({ ...before, ...bodyOf(call), name: before.name });
  state.rules.set(`${project.id}/${before.name}`, {
    kind,
    id,
    creationTimestamp,
    ...rule,
    network,
    selfLink,
  });
  return finished(state, project, { operationType: "patch", targetId: id, targetLink: selfLink });
}

function deleteRule(state: State, call: RestCall, project: SandboxProject): object {
  const { id, name, selfLink } = ruleOf(state, call, project);
  state.rules.delete(`${project.id}/${name}`);
  return finished(state, project, { operationType: "delete", targetId: id, targetLink: selfLink });
}

function ruleOf({ rules }: State, { path }: RestCall, project: SandboxProject): Rule {
  const rule = rules.get(`${project.id}/${path["name"]}`);
  if (rule !== undefined) return rule;
  throw new GoogleError(
    "NOT_FOUND",
    `The resource 'projects/${project.id}/global/firewalls/${path["name"]}' was not found`,
  );
}

function listRules({ rules }: State, _: RestCall, project: SandboxProject): object {
  const items = [...rules.entries()]
    .filter(([key]) => key.startsWith(`${project.id}/`))
    .map(([, rule]) => rule);
  return {
    kind: "compute#firewallList",
    id: `projects/${project.id}/global/firewalls`,
    ...(items.length === 0 ? {} : { items }),
    selfLink: `${ROOT}/projects/${project.id}/global/firewalls`,
  };
}

/** Of a network, by its path or, for a region, by the query. */
function effective(state: State, { path, query }: RestCall, project: SandboxProject): object {
  const named = path["network"];
  const asked = named === undefined ? query.get("network") : `global/networks/${named}`;
  if (asked === null) throw new GoogleError("INVALID_ARGUMENT", "Required field 'network' not specified");
  const firewalls = rulesOf(state, project.id, existingNetwork(state, project, asked));
  return firewalls.length === 0 ? {} : { firewalls };
}

interface Change {
  readonly operationType: "insert" | "patch" | "delete";
  readonly targetId: string;
  readonly targetLink: string;
}

/** Changes are done at once; the real API's take seconds. */
function finished(state: State, project: SandboxProject, change: Change): object {
  const name = `operation-${newId()}`;
  const at = now(state);
  const operation = {
    kind: "compute#operation",
    id: newId(),
    name,
    ...change,
    status: "DONE",
    progress: 100,
    insertTime: at,
    startTime: at,
    endTime: at,
    selfLink: `${ROOT}/projects/${project.id}/global/operations/${name}`,
  };
  state.operations.set(`${project.id}/${name}`, operation);
  return operation;
}

function getOperation({ operations }: State, { path }: RestCall, project: SandboxProject): object {
  const operation = operations.get(`${project.id}/${path["operation"]}`);
  if (operation !== undefined) return operation;
  throw new GoogleError("NOT_FOUND", `The resource 'operations/${path["operation"]}' was not found`);
}

function linkOf({ id }: SandboxProject, name: string): string {
  return `${ROOT}/projects/${id}/global/firewalls/${name}`;
}

/** The API's are 64-bit numbers as text. */
function newId(): string {
  return `${randomInt(1, 2 ** 47)}${randomInt(1000, 9999)}`;
}

function now({ options }: State): string {
  return (options.now?.() ?? new Date()).toISOString();
}

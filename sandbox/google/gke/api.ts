import type { ClusterRef } from "../../../shared/core/cluster/cluster.ts";
import { clusterResource } from "../../../shared/core/names.ts";
import { GoogleError } from "../http/google-error.ts";
import { type RestCall, type RestOptions, type RestRoute, startRestApi } from "../http/rest.ts";
import type { LocalServer } from "../http/server.ts";
import { findProject, type SandboxProject } from "../projects.ts";
import {
  type AuditEntry,
  type AuditedCall,
  type AuditedMethod,
  finishedEntry,
  operationType,
  rejectedEntry,
  startedEntry,
} from "./audit-entry.ts";
import {
  bringsGatewayApi,
  type ClusterRecord,
  chooseServiceRange,
  clusterPath,
  freePodRange,
  type KubernetesFacts,
  labelFingerprint,
  newClusterId,
  parseClusterRequest,
  parseLabels,
  podRange,
  poolsOf,
  renderCluster,
  statedPolicy,
  type WorkloadPolicy,
} from "./cluster.ts";
import { record, text } from "./fields.ts";
import { newOperation, type OperationRecord, renderOperation } from "./operations.ts";
import { parseUpdate } from "./updates.ts";

/**
 * IAM's permissions of the calls served here;
 * https://cloud.google.com/kubernetes-engine/docs/reference/api-permissions
 */
type GkePermission = `container.${"clusters" | "operations"}.${string}`;

export interface KubernetesSettings {
  readonly serviceRange: string;
  /** Of an Autopilot cluster alone. */
  readonly autopilot?: WorkloadPolicy;
  /** Whether GKE brings the Gateway API. */
  readonly gatewayApi: boolean;
}

/** Makes, changes and removes the processes of the clusters that the API only describes. */
export interface GkeBackend {
  create(ref: ClusterRef, settings: KubernetesSettings): Promise<KubernetesFacts>;
  /** Of an Autopilot cluster; resolves when it is in force. */
  setWorkloadPolicy(ref: ClusterRef, policy: WorkloadPolicy): Promise<void>;
  remove(ref: ClusterRef): Promise<void>;
}

export interface GkeOptions extends Omit<RestOptions, "target"> {
  readonly projects: readonly SandboxProject[];
  /** IAM: may this account do that? Everybody may do everything unless given. */
  readonly allows?: (caller: string, permission: GkePermission) => boolean;
  readonly backend: GkeBackend;
  readonly onAuditEntry: (entry: AuditEntry) => void;
  /** After any change of a cluster's status or labels. */
  readonly onChange?: () => void;
  readonly now?: () => Date;
}

export interface GkeApi extends LocalServer {
  /** Every cluster there is, in any status. */
  clusters(): readonly ClusterRecord[];
}

interface State {
  readonly options: GkeOptions;
  readonly clusters: Map<string, ClusterRecord>;
  readonly operations: Map<string, OperationRecord>;
}

const CLUSTERS =
  "^/(?<v>v1|v1beta1)/projects/(?<project>[^/]+)/(?:locations|zones)/(?<location>[^/]+)/clusters";
const OPERATIONS =
  "^/(?<v>v1|v1beta1)/projects/(?<project>[^/]+)/(?:locations|zones)/(?<location>[^/]+)/operations";
const CLUSTER = `${CLUSTERS}/(?<name>[^/:]+)`;

/**
 * container.googleapis.com, v1 and v1beta1, over REST: as much of it as `gcloud container clusters` and the
 * Node client need to create, find, label and delete clusters. What it does not serve it answers with
 * UNIMPLEMENTED.
 */
export async function startGke(options: GkeOptions): Promise<GkeApi> {
  const state: State = { options, clusters: new Map(), operations: new Map() };
  const server = await startRestApi({ ...options, target: "gke" }, routes(state));
  return { ...server, clusters: () => [...state.clusters.values()] };
}

function routes(state: State): RestRoute[] {
  const route = (
    method: RestRoute["method"],
    path: string,
    permission: GkePermission,
    handle: (state: State, call: RestCall) => object,
  ): RestRoute => ({
    method,
    path: new RegExp(`${path}$`),
    handle(call) {
      authorize(state.options, call, permission);
      return handle(state, call);
    },
  });
  const labels = `${CLUSTER}(?::setResourceLabels|/resourceLabels)`;
  return [
    route("GET", CLUSTERS, "container.clusters.list", listClusters),
    route("POST", CLUSTERS, "container.clusters.create", createCluster),
    route("GET", CLUSTER, "container.clusters.get", getCluster),
    route("GET", `${CLUSTER}/nodePools`, "container.clusters.get", listNodePools),
    route("PUT", CLUSTER, "container.clusters.update", updateCluster),
    route("DELETE", CLUSTER, "container.clusters.delete", deleteCluster),
    route("POST", labels, "container.clusters.update", setLabels),
    route("GET", OPERATIONS, "container.operations.list", listOperations),
    route("GET", `${OPERATIONS}/(?<operation>[^/]+)`, "container.operations.get", getOperation),
  ];
}

function authorize(options: GkeOptions, call: RestCall, permission: GkePermission): void {
  if (options.allows?.(call.caller, permission) ?? true) return;
  const { project, location, name } = call.path;
  const resource = [
    `projects/${project}`,
    ...(name === undefined ? [] : [`locations/${location}`, `clusters/${name}`]),
  ].join("/");
  throw new GoogleError("PERMISSION_DENIED", `Required "${permission}" permission(s) for "${resource}".`);
}

function listClusters(state: State, call: RestCall): object {
  const project = findProject(state.options.projects, part(call, "project"));
  const location = part(call, "location");
  const missingZones = state.options.faults.take("gke", "missingZones")?.zones ?? [];
  const clusters = [...state.clusters.values()]
    .filter(({ ref }) => ref.project === project.id && (location === "-" || ref.location === location))
    .filter(({ ref }) => !missingZones.includes(ref.location))
    .map((cluster) => renderCluster(cluster, context(call, project)));
  return {
    ...(clusters.length === 0 ? {} : { clusters }),
    ...(missingZones.length === 0 ? {} : { missingZones }),
  };
}

function getCluster(state: State, call: RestCall): object {
  const project = findProject(state.options.projects, part(call, "project"));
  return renderCluster(existing(state, refOf(call, project)), context(call, project));
}

function listNodePools(state: State, call: RestCall): object {
  const project = findProject(state.options.projects, part(call, "project"));
  return { nodePools: poolsOf(existing(state, refOf(call, project)), context(call, project)) };
}

function createCluster(state: State, call: RestCall): object {
  const project = findProject(state.options.projects, part(call, "project"));
  const location = part(call, "location");
  const stated = record(record(call.body)["cluster"]);
  const ref = { project: project.id, location, name: text(stated["name"]) ?? "" };
  const audited = audit("CreateCluster", call, ref, {
    cluster: stated,
    parent: `projects/${project.id}/locations/${location}`,
  });
  return begin(state, audited, project, "creating", () => {
    const request = parseClusterRequest(location, call.body);
    if (state.clusters.has(clusterResource(ref))) {
      throw new GoogleError("ALREADY_EXISTS", `Already exists: ${clusterPath(ref)}.`);
    }
    const policy = statedPolicy(request);
    const others = [...state.clusters.values()];
    const serviceRange = chooseServiceRange(
      request,
      others.map((other) => other.serviceRange),
    );
    const cluster: ClusterRecord = {
      ref,
      id: newClusterId(),
      createTime: now(state).toISOString(),
      request,
      givenPodRange: freePodRange(others.map(podRange)),
      serviceRange,
      ...(policy === undefined ? {} : { workloadPolicy: policy }),
      status: "PROVISIONING",
      labels: request.resourceLabels,
    };
    state.clusters.set(clusterResource(ref), cluster);
    return async () => {
      try {
        update(state, ref, {
          kubernetes: await state.options.backend.create(ref, {
            serviceRange,
            gatewayApi: bringsGatewayApi(request.stated),
            ...(policy === undefined ? {} : { autopilot: policy }),
          }),
          status: "RUNNING",
        });
      } catch (error) {
        update(state, ref, { status: "ERROR", statusMessage: messageOf(error) });
        throw error;
      }
    };
  });
}

function updateCluster(state: State, call: RestCall): object {
  const project = findProject(state.options.projects, part(call, "project"));
  const ref = refOf(call, project);
  const change = record(record(call.body)["update"]);
  const audited = audit("UpdateCluster", call, ref, { name: clusterResource(ref), update: change });
  return begin(state, audited, project, "updating", () => {
    const cluster = existing(state, ref);
    idle(cluster);
    const parsed = parseUpdate(cluster, change);
    return async () => {
      if (parsed.kind === "endpoints") return update(state, ref, { request: parsed.request });
      await state.options.backend.setWorkloadPolicy(ref, parsed.policy);
      update(state, ref, { workloadPolicy: parsed.policy });
    };
  });
}

function deleteCluster(state: State, call: RestCall): object {
  const project = findProject(state.options.projects, part(call, "project"));
  const ref = refOf(call, project);
  const audited = audit("DeleteCluster", call, ref, { name: clusterResource(ref) });
  return begin(state, audited, project, "deleting", () => {
    idle(existing(state, ref));
    update(state, ref, { status: "STOPPING" });
    return async () => {
      await state.options.backend.remove(ref);
      state.clusters.delete(clusterResource(ref));
      state.options.onChange?.();
    };
  });
}

/** The whole map of labels is replaced, on condition of its fingerprint. */
function setLabels(state: State, call: RestCall): object {
  const project = findProject(state.options.projects, part(call, "project"));
  const ref = refOf(call, project);
  const { resourceLabels, labelFingerprint: fingerprint } = record(call.body);
  const audited = audit("SetLabels", call, ref, {
    labelFingerprint: fingerprint,
    name: clusterResource(ref),
    resourceLabels,
  });
  return begin(state, audited, project, "updating", () => {
    const cluster = existing(state, ref);
    idle(cluster);
    const labels = parseLabels(resourceLabels ?? {});
    if (fingerprint !== labelFingerprint(cluster.labels)) {
      throw new GoogleError("FAILED_PRECONDITION", "Labels could not be set due to fingerprint mismatch.");
    }
    update(state, ref, { labels });
    return async () => undefined;
  });
}

/**
 * Runs the immediate part of a change, then answers its operation while the rest goes on; writes the entries
 * of the audit log that the real API writes, the single one of a refusal included.
 */
function begin(
  state: State,
  audited: AuditedCall,
  project: SandboxProject,
  doing: string,
  change: () => () => Promise<void>,
): object {
  const { onAuditEntry } = state.options;
  let finish: () => Promise<void>;
  try {
    finish = change();
  } catch (error) {
    if (error instanceof GoogleError) onAuditEntry(rejectedEntry(audited, error, now(state)));
    throw error;
  }
  const operation = newOperation(operationType(audited.method), audited.ref, now(state));
  state.operations.set(operation.name, operation);
  update(state, audited.ref, { busyWith: { operation: operation.name, doing } });
  const answer = renderOperation(operation, {
    apiVersion: audited.apiVersion,
    projectNumber: project.number,
  });
  const logged = renderOperation(operation, { apiVersion: "v1alpha1", projectNumber: project.number });
  onAuditEntry(startedEntry(audited, logged, now(state)));
  void settle(state, audited, operation, finish);
  return answer;
}

async function settle(
  state: State,
  audited: AuditedCall,
  operation: OperationRecord,
  finish: () => Promise<void>,
): Promise<void> {
  let error: { code: number; message: string } | undefined;
  try {
    await state.options.faults.untilCleared("gke", "holdOperations");
    await finish();
  } catch (cause) {
    error = { code: 13, message: messageOf(cause) };
  }
  release(state, audited.ref);
  state.operations.set(operation.name, {
    ...operation,
    endTime: now(state).toISOString(),
    ...(error === undefined ? {} : { error }),
  });
  state.options.onAuditEntry(finishedEntry(audited, operation.name, now(state), error));
}

function listOperations(state: State, call: RestCall): object {
  const project = findProject(state.options.projects, part(call, "project"));
  const location = part(call, "location");
  const missingZones = state.options.faults.take("gke", "missingZones")?.zones ?? [];
  const operations = [...state.operations.values()]
    .filter(({ ref }) => ref.project === project.id && (location === "-" || ref.location === location))
    .filter(({ ref }) => !missingZones.includes(ref.location))
    .map((operation) => renderOperation(operation, context(call, project)));
  return {
    ...(operations.length === 0 ? {} : { operations }),
    ...(missingZones.length === 0 ? {} : { missingZones }),
  };
}

function getOperation(state: State, call: RestCall): object {
  const project = findProject(state.options.projects, part(call, "project"));
  const operation = state.operations.get(part(call, "operation"));
  if (operation === undefined || operation.ref.location !== part(call, "location")) {
    throw new GoogleError("NOT_FOUND", `Not found: operation ${part(call, "operation")}.`);
  }
  return renderOperation(operation, context(call, project));
}

function existing(state: State, ref: ClusterRef): ClusterRecord {
  const cluster = state.clusters.get(clusterResource(ref));
  if (cluster !== undefined) return cluster;
  throw new GoogleError("NOT_FOUND", `Not found: ${clusterPath(ref)}.`);
}

function idle(cluster: ClusterRecord): void {
  if (cluster.busyWith === undefined) return;
  const { operation, doing } = cluster.busyWith;
  throw new GoogleError(
    "FAILED_PRECONDITION",
    `Operation ${operation} is currently ${doing} cluster ${cluster.ref.name}. Please wait and try again once it is done.`,
  );
}

function release(state: State, ref: ClusterRef): void {
  const cluster = state.clusters.get(clusterResource(ref));
  if (cluster === undefined) return;
  const { busyWith: _, ...released } = cluster;
  state.clusters.set(clusterResource(ref), released);
}

function update(state: State, ref: ClusterRef, change: Partial<ClusterRecord>): void {
  const cluster = state.clusters.get(clusterResource(ref));
  if (cluster === undefined) return;
  state.clusters.set(clusterResource(ref), { ...cluster, ...change });
  state.options.onChange?.();
}

function audit(
  method: AuditedMethod,
  call: RestCall,
  ref: ClusterRef,
  request: Readonly<Record<string, unknown>>,
): AuditedCall {
  return {
    method,
    apiVersion: part(call, "v"),
    ref,
    caller: call.caller,
    userAgent: call.userAgent,
    request,
  };
}

function context(call: RestCall, project: SandboxProject): { apiVersion: string; projectNumber: string } {
  return { apiVersion: part(call, "v"), projectNumber: project.number };
}

function refOf(call: RestCall, project: SandboxProject): ClusterRef {
  return { project: project.id, location: part(call, "location"), name: part(call, "name") };
}

function part(call: RestCall, name: string): string {
  return call.path[name] ?? "";
}

function now(state: State): Date {
  return state.options.now?.() ?? new Date();
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

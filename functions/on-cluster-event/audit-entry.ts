import type { ClusterRef } from "../../shared/core/cluster/cluster.ts";
import { parseClusterResource } from "../../shared/core/names.ts";

/** An operation on a cluster, reduced to the cluster. */
export interface ClusterEvent {
  readonly cluster: ClusterRef;
  readonly method: Method;
  readonly operationId: string;
}

/** The reason why an entry is ignored; stable, for logs. */
export type IgnoredReason =
  | "NotAnAuditEntry"
  | "OtherService"
  | "OtherMethod"
  | "OperationNotFinished"
  | "OperationFailed"
  | "NoCluster";

export type ParsedEntry = { readonly event: ClusterEvent } | { readonly ignored: IgnoredReason };

/** The parts of a Cloud Logging LogEntry with an AuditLog payload that are read; each may be missing. */
interface AuditEntry {
  readonly operation?: { readonly id?: string; readonly last?: boolean };
  readonly protoPayload?: {
    readonly serviceName?: string;
    readonly methodName?: string;
    readonly resourceName?: string;
    readonly status?: { readonly code?: number };
  };
  readonly resource?: {
    readonly labels?: {
      readonly project_id?: string;
      readonly location?: string;
      readonly cluster_name?: string;
    };
  };
}

const SERVICE = "container.googleapis.com";

type Phase = "first" | "last" | "only";

/** The entries to act on, by method without package and version. */
const METHODS = {
  CreateCluster: ["last"],
  // The API server goes away between the two, and the peers should disconnect from the first on.
  DeleteCluster: ["first", "last"],
  SetLabels: ["last", "only"],
  UpdateCluster: ["last", "only"],
  StartIPRotation: ["last", "only"],
  CompleteIPRotation: ["last", "only"],
  SetMasterAuth: ["last", "only"],
} as const satisfies Record<string, readonly Phase[]>;
export type Method = keyof typeof METHODS;

/** gcloud beta and Terraform's beta provider call v1beta1. Whole match: node-pool methods share prefixes. */
const METHOD = /^google\.container\.v1(?:beta1)?\.ClusterManager\.(?<method>\w+)$/;

/**
 * A long operation writes two entries, and only the last has its result. A short or a rejected one writes a
 * single entry without `operation`.
 * https://cloud.google.com/kubernetes-engine/docs/how-to/audit-logging
 */
export function parseAuditEntry(value: unknown): ParsedEntry {
  if (typeof value !== "object" || value === null || !("protoPayload" in value)) {
    return { ignored: "NotAnAuditEntry" };
  }
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- every field is optional and compared, never trusted
  const { operation, protoPayload, resource } = value as AuditEntry;
  if (protoPayload?.serviceName !== SERVICE) return { ignored: "OtherService" };
  const method = METHOD.exec(protoPayload.methodName ?? "")?.groups?.["method"] ?? "";
  if (!isMethod(method)) return { ignored: "OtherMethod" };
  if ((protoPayload.status?.code ?? 0) !== 0) return { ignored: "OperationFailed" };
  const phases: readonly Phase[] = METHODS[method];
  if (!phases.includes(phaseOf(operation))) return { ignored: "OperationNotFinished" };
  const cluster = labelled(resource?.labels) ?? parseClusterResource(protoPayload.resourceName ?? "");
  if (cluster === undefined) return { ignored: "NoCluster" };
  return { event: { cluster, method, operationId: operation?.id ?? "" } };
}

function isMethod(method: string): method is Method {
  return Object.hasOwn(METHODS, method);
}

function phaseOf(operation: AuditEntry["operation"]): Phase {
  if (operation?.last === true) return "last";
  return operation === undefined ? "only" : "first";
}

function labelled(labels: NonNullable<AuditEntry["resource"]>["labels"]): ClusterRef | undefined {
  const { project_id: project, location, cluster_name: name } = labels ?? {};
  return project && location && name ? { project, location, name } : undefined;
}

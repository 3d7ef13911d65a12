import type { ClusterRef } from "../../shared/core/cluster.ts";
import { parseClusterResource } from "../../shared/core/names.ts";

/** A finished cluster operation, reduced to where to look. */
export interface ClusterEvent {
  readonly cluster: ClusterRef;
  /** Without package and version: `CreateCluster`. */
  readonly method: string;
  readonly operationId: string;
}

/** Why an entry is none of ours; stable, for logs. */
export type IgnoredReason =
  | "NotAnAuditEntry"
  | "OtherService"
  | "OtherMethod"
  | "OperationNotFinished"
  | "OperationFailed"
  | "NoCluster";

export type ParsedEntry = { readonly event: ClusterEvent } | { readonly ignored: IgnoredReason };

/** The parts of a Cloud Logging LogEntry with an AuditLog payload that are read; any of them may be missing. */
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
/** gcloud beta and Terraform's beta provider call v1beta1; node-pool methods share the prefix, so the name is matched whole. */
const METHOD = /^google\.container\.v1(?:beta1)?\.ClusterManager\.(?<method>CreateCluster)$/;

/**
 * An operation leaves two entries, and only the last says how it ended; a rejected one leaves a single entry without
 * `operation`. https://cloud.google.com/kubernetes-engine/docs/how-to/audit-logging
 */
export function parseAuditEntry(value: unknown): ParsedEntry {
  if (typeof value !== "object" || value === null || !("protoPayload" in value)) {
    return { ignored: "NotAnAuditEntry" };
  }
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- every field is optional and compared, never trusted
  const { operation, protoPayload, resource } = value as AuditEntry;
  if (protoPayload?.serviceName !== SERVICE) return { ignored: "OtherService" };
  const method = METHOD.exec(protoPayload.methodName ?? "")?.groups?.["method"];
  if (method === undefined) return { ignored: "OtherMethod" };
  if ((protoPayload.status?.code ?? 0) !== 0) return { ignored: "OperationFailed" };
  if (operation?.last !== true) return { ignored: "OperationNotFinished" };
  const cluster = labelled(resource?.labels) ?? parseClusterResource(protoPayload.resourceName ?? "");
  if (cluster === undefined) return { ignored: "NoCluster" };
  return { event: { cluster, method, operationId: operation.id ?? "" } };
}

function labelled(labels: NonNullable<AuditEntry["resource"]>["labels"]): ClusterRef | undefined {
  const { project_id: project, location, cluster_name: name } = labels ?? {};
  return project && location && name ? { project, location, name } : undefined;
}

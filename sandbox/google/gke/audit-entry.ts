import { randomBytes } from "node:crypto";
import type { ClusterRef } from "../../../shared/core/cluster/cluster.ts";
import type { GoogleError } from "../http/google-error.ts";
import { clusterPath } from "./cluster.ts";
import type { OperationAnswer } from "./operations.ts";

/**
 * A `LogEntry` of the Admin Activity log as a log sink publishes it;
 * https://cloud.google.com/logging/docs/reference/v2/rest/v2/LogEntry
 */
export type AuditEntry = Readonly<Record<string, unknown>>;

/** What the logged methods call themselves. */
const METHODS = {
  CreateCluster: { operationType: "CREATE_CLUSTER", permission: "container.clusters.create" },
  DeleteCluster: { operationType: "DELETE_CLUSTER", permission: "container.clusters.delete" },
  UpdateCluster: { operationType: "UPDATE_CLUSTER", permission: "container.clusters.update" },
  SetLabels: { operationType: "UPDATE_CLUSTER", permission: "container.clusters.update" },
} as const;
export type AuditedMethod = keyof typeof METHODS;

export interface AuditedCall {
  readonly method: AuditedMethod;
  /** `v1` or `v1beta1`, as called: it is part of the logged method name. */
  readonly apiVersion: string;
  readonly ref: ClusterRef;
  readonly caller: string;
  readonly userAgent: string;
  /** Fields of the request message. */
  readonly request: Readonly<Record<string, unknown>>;
}

const PRODUCER = "container.googleapis.com";

export function operationType(method: AuditedMethod): string {
  return METHODS[method].operationType;
}

/** The first of an operation's two entries: it has who, what and the answer. */
export function startedEntry(call: AuditedCall, operation: OperationAnswer, now: Date): AuditEntry {
  return entry(call, now, {
    severity: "NOTICE",
    operation: { id: operation.name, first: true, producer: PRODUCER },
    payload: { ...asked(call), response: { "@type": message("Operation"), ...operation } },
  });
}

/** The last entry: no request, no response, no caller. `error` is how a long-running operation fails. */
export function finishedEntry(
  call: AuditedCall,
  operation: string,
  now: Date,
  error?: { code: number; message: string },
): AuditEntry {
  return entry(call, now, {
    severity: error === undefined ? "NOTICE" : "ERROR",
    operation: { id: operation, last: true, producer: PRODUCER },
    payload: {
      metadata: {
        operationType: METHODS[call.method].operationType,
        requestID: `0x${randomBytes(8).toString("hex")}`,
      },
      status: error ?? {},
    },
  });
}

/** A call that was refused at once: a single entry that belongs to no operation. */
export function rejectedEntry(call: AuditedCall, error: GoogleError, now: Date): AuditEntry {
  return entry(call, now, {
    severity: "ERROR",
    payload: { ...asked(call), status: { code: error.rpcCode, message: error.message } },
  });
}

function entry(
  call: AuditedCall,
  now: Date,
  parts: { severity: string; operation?: object; payload: object },
): AuditEntry {
  const { project, location, name } = call.ref;
  return {
    insertId: randomBytes(6).toString("hex"),
    logName: `projects/${project}/logs/cloudaudit.googleapis.com%2Factivity`,
    ...(parts.operation === undefined ? {} : { operation: parts.operation }),
    protoPayload: {
      "@type": "type.googleapis.com/google.cloud.audit.AuditLog",
      ...parts.payload,
      methodName: `google.container.${call.apiVersion}.ClusterManager.${call.method}`,
      policyViolationInfo: { orgPolicyViolationInfo: {} },
      resourceLocation: { currentLocations: [location] },
      resourceName: clusterPath(call.ref),
      serviceName: PRODUCER,
    },
    receiveTimestamp: now.toISOString(),
    resource: {
      labels: { cluster_name: name, location, project_id: project },
      type: "gke_cluster",
    },
    severity: parts.severity,
    timestamp: now.toISOString(),
  };
}

function asked(call: AuditedCall): object {
  const resource = clusterPath(call.ref);
  return {
    authenticationInfo: { principalEmail: call.caller, principalSubject: `serviceAccount:${call.caller}` },
    authorizationInfo: [
      {
        granted: true,
        permission: METHODS[call.method].permission,
        permissionType: "ADMIN_WRITE",
        resource,
        resourceAttributes: { name: resource, service: PRODUCER, type: "container.googleapis.com/Cluster" },
      },
    ],
    request: { "@type": message(`${call.method}Request`), ...call.request },
    requestMetadata: {
      callerIp: "127.0.0.1",
      callerSuppliedUserAgent: call.userAgent,
      destinationAttributes: {},
      requestAttributes: {},
    },
  };
}

/** The audit log names the messages of `v1alpha1`, even if the client called another version. */
function message(name: string): string {
  return `type.googleapis.com/google.container.v1alpha1.${name}`;
}

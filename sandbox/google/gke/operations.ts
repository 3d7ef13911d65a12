import { randomUUID } from "node:crypto";
import type { ClusterRef } from "../../../shared/core/cluster/cluster.ts";
import { clusterPath, locationCollection } from "./cluster.ts";

/** A long-running operation, in the terms of the API. */
export interface OperationRecord {
  readonly name: string;
  readonly ref: ClusterRef;
  /** `CREATE_CLUSTER` and the like. */
  readonly type: string;
  readonly startTime: string;
  readonly endTime?: string;
  readonly error?: { readonly code: number; readonly message: string };
}

export function newOperation(type: string, ref: ClusterRef, now: Date): OperationRecord {
  return { name: `operation-${now.getTime()}-${randomUUID()}`, ref, type, startTime: now.toISOString() };
}

/** https://cloud.google.com/kubernetes-engine/docs/reference/rest/v1/projects.locations.operations */
export interface OperationAnswer {
  readonly name: string;
  readonly operationType: string;
  readonly selfLink: string;
  readonly startTime: string;
  readonly status: "RUNNING" | "DONE";
  readonly targetLink: string;
  readonly zone: string;
  readonly location: string;
  readonly endTime?: string;
  readonly error?: OperationRecord["error"];
  readonly statusMessage?: string;
}

export function renderOperation(
  operation: OperationRecord,
  context: { apiVersion: string; projectNumber: string },
): OperationAnswer {
  const { location } = operation.ref;
  const base = `https://container.googleapis.com/${context.apiVersion}`;
  const byNumber = { ...operation.ref, project: context.projectNumber };
  return {
    name: operation.name,
    operationType: operation.type,
    selfLink: `${base}/projects/${context.projectNumber}/${locationCollection(location)}/${location}/operations/${operation.name}`,
    startTime: operation.startTime,
    status: operation.endTime === undefined ? "RUNNING" : "DONE",
    targetLink: `${base}/${clusterPath(byNumber)}`,
    zone: location,
    location,
    ...(operation.endTime === undefined ? {} : { endTime: operation.endTime }),
    ...(operation.error === undefined
      ? {}
      : { error: operation.error, statusMessage: operation.error.message }),
  };
}

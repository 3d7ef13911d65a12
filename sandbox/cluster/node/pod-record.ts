import type { V1Pod } from "@kubernetes/client-node";
import { ApiError } from "../api-client.ts";
import type { ContainerReport } from "./container-report.ts";
import type { Istiod } from "./istiod.ts";
import type { Proxy } from "./proxy.ts";

/** What the node knows of one pod. */
export interface PodRecord {
  latest: V1Pod;
  /** No longer in the API. */
  gone: boolean;
  started: boolean;
  /** Attempts to get its images that failed so far. */
  pullsFailed: number;
  readonly ip: string;
  readonly startedAt: string;
  readonly reports: Map<string, ContainerReport>;
  istiod: Istiod | undefined;
  proxy: Proxy | undefined;
  /** Where a port-forward to the proxy's loopback connects to: `UID:PORT` → port on 127.0.0.1. */
  loopback: Map<string, number>;
}

export function newRecord(pod: V1Pod, ip: string): PodRecord {
  return {
    latest: pod,
    gone: false,
    started: false,
    pullsFailed: 0,
    ip,
    startedAt: new Date().toISOString(),
    reports: new Map(),
    istiod: undefined,
    proxy: undefined,
    loopback: new Map(),
  };
}

export function pathOf({ metadata }: V1Pod): string {
  return `/api/v1/namespaces/${metadata?.namespace}/pods/${metadata?.name}`;
}

/** A pod that is gone, or is another one by now, is told of by its watch. */
export async function unlessGone(call: Promise<unknown>): Promise<void> {
  try {
    await call;
  } catch (error) {
    if (!(error instanceof ApiError && (error.status === 404 || error.status === 409))) throw error;
  }
}

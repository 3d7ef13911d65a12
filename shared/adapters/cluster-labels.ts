import { setTimeout as sleep } from "node:timers/promises";
import type { protos } from "@google-cloud/container";
import type { ClusterManagerClient } from "@google-cloud/container/build/src/v1/index.js";
import { lazily } from "../async/lazily.ts";
import type { ClusterRef } from "../core/cluster/cluster.ts";
import { clusterResource } from "../core/names.ts";
import { ConflictError, type MeshjoinError, RefusedError } from "../errors.ts";
import type { ClusterLabels, LabelChange } from "../ports/cluster-labels.ts";
import { connectGke, type GkeOptions } from "./cluster-directory.ts";
import {
  callOptions,
  fromGoogleError,
  type GoogleCall,
  GRPC,
  grpcCode,
  reasonOf,
  withoutRequest,
} from "./google-client.ts";

type Operation = protos.google.container.v1.IOperation;
type Labels = Readonly<Record<string, string>>;

/** Enough tries for another client's label change, and for an operation that is about to end. */
const TRIES_MAX = 5;
const PAUSE_MS = 500;
const POLL_MS = 500;
/** `google.container.v1.Operation.Status`. */
const DONE: readonly unknown[] = ["DONE", 3];

/**
 * `SetLabels` replaces the whole map, on the condition that it has not changed since it was read
 * (`labelFingerprint`). So it may be sent twice: the second call fails on that condition, and the next read
 * shows that the first one worked.
 */
export function gkeLabels(options: GkeOptions = {}): ClusterLabels {
  const client = lazily(() => connectGke(options));
  return {
    async set(ref, change, signal) {
      for (let tries = 1; ; tries += 1) {
        const { labels, fingerprint } = await readLabels(await client(), ref, signal);
        const present = labels[change.key];
        if (present === change.value) return false;
        if (isTaken(present, change)) throw taken(present, change, ref);
        try {
          const operation = await replaceLabels(await client(), ref, withChange(labels, change), {
            fingerprint,
            signal,
          });
          await untilDone(await client(), ref, operation, signal);
          return true;
        } catch (error) {
          if (grpcCode(error) !== GRPC.failedPrecondition) throw labelsError(error, ref);
          if (tries === TRIES_MAX) throw busy(error, ref);
        }
        await sleep(PAUSE_MS * tries, undefined, { signal }).catch(() => undefined);
      }
    },
  };
}

function isTaken(present: string | undefined, { only }: LabelChange): present is string {
  return only !== undefined && present !== undefined && present !== only;
}

/** A list may show an older label for a while, so the caller may not have known. */
function taken(present: string, { key }: LabelChange, ref: ClusterRef): RefusedError {
  return new RefusedError(`could not ${attempt("label", ref)}: its label ${key} is ${present}`, {
    code: "LabelTaken",
    cure: "ask the owner of that label to remove it",
    fields: { cluster: clusterResource(ref) },
  });
}

function withChange(labels: Labels, { key, value }: LabelChange): Record<string, string> {
  const { [key]: _, ...others } = labels;
  return value === undefined ? others : { ...others, [key]: value };
}

async function readLabels(
  client: ClusterManagerClient,
  ref: ClusterRef,
  signal: AbortSignal | undefined,
): Promise<{ readonly labels: Labels; readonly fingerprint: string }> {
  try {
    const [cluster] = await client.getCluster({ name: clusterResource(ref) }, callOptions(signal));
    return { labels: { ...cluster.resourceLabels }, fingerprint: cluster.labelFingerprint ?? "" };
  } catch (error) {
    throw fromGoogleError(error, callOf("read", "container.clusters.get", ref));
  }
}

async function replaceLabels(
  client: ClusterManagerClient,
  ref: ClusterRef,
  resourceLabels: Record<string, string>,
  { fingerprint, signal }: { readonly fingerprint: string; readonly signal: AbortSignal | undefined },
): Promise<Operation> {
  const [operation] = await client.setLabels(
    { name: clusterResource(ref), resourceLabels, labelFingerprint: fingerprint },
    callOptions(signal),
  );
  return operation;
}

async function untilDone(
  client: ClusterManagerClient,
  ref: ClusterRef,
  started: Operation,
  signal: AbortSignal | undefined,
): Promise<void> {
  const name = `projects/${ref.project}/locations/${ref.location}/operations/${started.name ?? ""}`;
  let operation = started;
  while (!DONE.includes(operation.status)) {
    await sleep(POLL_MS, undefined, { signal }).catch(() => undefined);
    [operation] = await client.getOperation({ name }, callOptions(signal));
  }
  if (!operation.error) return;
  const reason = (operation.error.message ?? "").replace(/\.\s*$/, "");
  throw new RefusedError(`could not ${attempt("label", ref)}: ${reason}`, {
    code: "OperationFailed",
    cure: "correct what the message names",
    fields: { cluster: clusterResource(ref) },
  });
}

function labelsError(error: unknown, ref: ClusterRef): unknown {
  if (error instanceof RefusedError) return error;
  return fromGoogleError(error, callOf("label", "container.clusters.update", ref));
}

function busy(error: unknown, ref: ClusterRef): MeshjoinError {
  return new ConflictError(`could not ${attempt("label", ref)}: ${reasonOf(error)}`, {
    code: "ClusterBusy",
    cure: "try again when GKE has finished its operation on the cluster",
    cause: withoutRequest(error),
    fields: { cluster: clusterResource(ref) },
  });
}

function attempt(verb: "label" | "read", ref: ClusterRef): string {
  return `${verb} ${clusterResource(ref)}`;
}

function callOf(verb: "label" | "read", permission: string, ref: ClusterRef): GoogleCall {
  const cluster = clusterResource(ref);
  return {
    attempt: attempt(verb, ref),
    permission,
    resource: `project ${ref.project}`,
    fields: { cluster },
  };
}

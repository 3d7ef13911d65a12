import type { Cluster } from "../../shared/core/cluster/cluster.ts";
import { nonMemberReason, standsStill } from "../../shared/core/cluster/membership.ts";
import { isConfigured } from "../../shared/core/cluster/sources.ts";
import { clusterId, clusterResource } from "../../shared/core/names.ts";
import type { MeshSpec } from "../../shared/core/spec.ts";
import { NotReadyError } from "../../shared/errors.ts";
import { type Logger, traceFields } from "../../shared/log.ts";
import { reconcile } from "../../shared/reconcile.ts";
import { logProgress, logReconciled } from "../../shared/run-log.ts";
import type { Runtime } from "../../shared/runtime.ts";
import { acknowledgeOrThrow } from "../event/acknowledge.ts";
import { type Envelope, openEnvelope } from "../event/envelope.ts";
import { type ClusterEvent, type Method, parseAuditEntry } from "./audit-entry.ts";

/**
 * Looks at the cluster of an event. Resolves when the event is acknowledged, after a failure too; rejects if
 * Pub/Sub must deliver it again. `environment` is Cloud Run's: it names the project of the traces.
 */
export async function onClusterEvent(
  runtime: Runtime,
  envelope: Envelope,
  environment: Readonly<Record<string, string | undefined>> = process.env,
): Promise<void> {
  const traced = runtime.log.child(traceFields(envelope.traceparent, environment["GOOGLE_CLOUD_PROJECT"]));
  const parsed = parseAuditEntry(openEnvelope(envelope));
  if ("ignored" in parsed) {
    traced.debug({ reason: parsed.ignored, eventId: envelope.id }, "event ignored");
    return;
  }
  const { cluster, method, operationId } = parsed.event;
  const about = { cluster: clusterResource(cluster), clusterId: clusterId(cluster) };
  const log = traced.child({ ...about, method, operationId });
  try {
    await handle(runtime, log, parsed.event);
  } catch (error) {
    acknowledgeOrThrow(log, "event", error);
  }
}

async function handle(runtime: Runtime, log: Logger, { cluster: ref, method }: ClusterEvent): Promise<void> {
  const { spec } = runtime;
  if (!isConfigured(ref, spec)) {
    log.info({ reason: "ProjectNotConfigured" }, "cluster is no member");
    return;
  }
  await runtime.withRun(logProgress(log), async (run) => {
    const cluster = await run.ports.sources.of(ref).get(ref, run.signal);
    const direction = directionOf(cluster, spec, method);
    if ("ignored" in direction) {
      log.info({ reason: direction.ignored }, "cluster is no member");
      return;
    }
    const id = clusterId(ref);
    log.info(direction.why, direction.message);
    const request = { scope: { clusterId: id }, reason: method };
    const reconciled = await reconcile(run, request, direction.known);
    logReconciled(log, reconciled);
    if (reconciled.retry) {
      throw new NotReadyError("the work is not complete", {
        code: direction.known.length > 0 ? "JoinIncomplete" : "LeaveIncomplete",
        fields: { clusterId: id },
      });
    }
  });
}

/** The change of a cluster's membership: none, or it joins, or it leaves. */
type Direction =
  | { readonly ignored: string }
  | {
      readonly message: "cluster joins" | "cluster leaves";
      readonly why: { readonly reason?: string };
      /** The cluster as just read, if it is a member. */
      readonly known: readonly Cluster[];
    };

/** The cluster's present state decides; the event may be late, or of an earlier cluster of the name. */
function directionOf(cluster: Cluster | undefined, spec: MeshSpec, method: Method): Direction {
  const reason = cluster === undefined ? "Gone" : nonMemberReason(cluster, spec);
  if (reason !== undefined && reason !== "Gone" && standsStill(reason)) return { ignored: reason };
  if (cluster !== undefined && reason === undefined) {
    if (method === "DeleteCluster") return { ignored: "StillRunning" };
    return { message: "cluster joins", why: {}, known: [cluster] };
  }
  if (reason === "Provisioning" && method === "CreateCluster") {
    throw new NotReadyError("the cluster is still being provisioned", {
      code: "Provisioning",
    });
  }
  const isUnknownToPeers = method === "CreateCluster" || reason === "Provisioning";
  return isUnknownToPeers
    ? { ignored: reason ?? "" }
    : { message: "cluster leaves", why: reason === undefined ? {} : { reason }, known: [] };
}

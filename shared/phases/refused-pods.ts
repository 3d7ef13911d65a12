import pLimit from "p-limit";
import type { Run } from "../apply.ts";
import { podsRefused } from "../core/autopilot.ts";
import type { Cluster } from "../core/cluster.ts";
import { faultFinding } from "../core/error-finding.ts";
import { clusterId } from "../core/names.ts";
import { type Outcome, outcomeOfFailure } from "../core/outcome.ts";
import { MeshjoinError } from "../errors.ts";
import type { KubernetesObject } from "../ports.ts";
import type { DeepResult } from "./drift.ts";
import { MEMBER_CONCURRENCY } from "./own-halves.ts";

/**
 * Which workloads Autopilot keeps from having sidecars, by the events of their controllers. A deep run alone asks, and only those
 * members that refuse NET_ADMIN: that they do is known from GKE, and an event only adds whom it concerns. A ReplicaSet tries
 * again within 17 minutes (its queue's longest delay, 1000 s), and an event lives for an hour, so that whatever is refused now has one.
 */
export async function findRefusedPods(
  { ports, signal }: Run,
  members: readonly Cluster[],
): Promise<DeepResult> {
  const limit = pLimit(MEMBER_CONCURRENCY);
  const asked = members.filter(({ autopilot, allowNetAdmin }) => autopilot && !allowNetAdmin);
  const outcomes = new Map<string, Outcome>();
  const results = await Promise.all(
    asked.map((cluster) =>
      limit(async () => {
        const id = clusterId(cluster.ref);
        try {
          const events = await ports.fleet
            .member(cluster)
            .reader.list({ apiVersion: "v1", kind: "Event", fieldSelector: "reason=FailedCreate" }, signal);
          const finding = podsRefused(cluster, events.flatMap(refusalOf));
          return { findings: finding === undefined ? [] : [finding], errors: [] };
        } catch (error) {
          if (!(error instanceof MeshjoinError)) throw error;
          outcomes.set(id, outcomeOfFailure(error));
          return { findings: [faultFinding(error, id)], errors: [error] };
        }
      }),
    ),
  );
  return {
    outcomes,
    findings: results.flatMap(({ findings }) => findings),
    errors: results.flatMap(({ errors }) => errors),
  };
}

interface CoreEvent {
  readonly message?: string;
  readonly involvedObject?: { readonly kind?: string; readonly namespace?: string; readonly name?: string };
}

/** Who was refused, if it was for NET_ADMIN. */
function refusalOf(event: KubernetesObject): string[] {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- core/v1 Event; every field is optional
  const { message = "", involvedObject = {} } = event as CoreEvent;
  const { kind, namespace, name } = involvedObject;
  return message.includes("NET_ADMIN") && message.includes("autogke-")
    ? [`${kind} ${namespace}/${name}`]
    : [];
}

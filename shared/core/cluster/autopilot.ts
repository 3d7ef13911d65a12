import { type Finding, finding } from "../answers/finding.ts";
import { clusterId } from "../names.ts";
import type { Cluster } from "./cluster.ts";
import { updateClusterCommand } from "./gcloud.ts";

/**
 * A sidecar redirects its pod's traffic in `istio-init`, which needs NET_ADMIN. Istio's CNI agent would not
 * need it, but does not run on Autopilot: https://istio.io/latest/docs/setup/platform-setup/gke/
 */
export function needsNetAdmin(cluster: Cluster): Finding | undefined {
  return cluster.autopilot && !cluster.allowNetAdmin
    ? refusal(
        cluster,
        "Autopilot refuses pods with a sidecar, because istio-init has the capability NET_ADMIN",
      )
    : undefined;
}

/** `workloads`: those whose pods Autopilot has refused. */
export function podsRefused(cluster: Cluster, workloads: readonly string[]): Finding | undefined {
  if (workloads.length === 0) return undefined;
  const names = [...new Set(workloads)].toSorted().join(", ");
  return refusal(cluster, `Autopilot refuses pods for the capability NET_ADMIN, of ${names}`);
}

function refusal(cluster: Cluster, message: string): Finding {
  const command = updateClusterCommand(cluster.ref, "--workload-policies=allow-net-admin");
  const cure = `allow it; the refused pods then start by themselves: ${command}`;
  return finding("AutopilotNeedsNetAdmin", message, cure, clusterId(cluster.ref));
}

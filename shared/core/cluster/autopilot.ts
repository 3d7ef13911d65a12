import { type Finding, finding } from "../answers/finding.ts";
import { clusterId } from "../names.ts";
import type { Cluster } from "./cluster.ts";
import { updateClusterCommand } from "./gcloud.ts";

/**
 * Sidecars redirect their pod's traffic in `istio-init`, which needs NET_ADMIN; Istio's CNI agent, which would do without, is not
 * available on Autopilot: https://istio.io/latest/docs/setup/platform-setup/gke/
 */
export function needsNetAdmin(cluster: Cluster): Finding | undefined {
  return cluster.autopilot && !cluster.allowNetAdmin
    ? found(cluster, "Autopilot refuses pods with a sidecar, because istio-init has the capability NET_ADMIN")
    : undefined;
}

/** `workloads`: those whose pods were seen to be refused. */
export function podsRefused(cluster: Cluster, workloads: readonly string[]): Finding | undefined {
  if (workloads.length === 0) return undefined;
  const names = [...new Set(workloads)].toSorted().join(", ");
  return found(cluster, `Autopilot refuses pods for the capability NET_ADMIN, of ${names}`);
}

function found(cluster: Cluster, message: string): Finding {
  const command = updateClusterCommand(cluster.ref, "--workload-policies=allow-net-admin");
  const cure = `allow it, and refused pods come by themselves: ${command}`;
  return finding("AutopilotNeedsNetAdmin", message, cure, clusterId(cluster.ref));
}

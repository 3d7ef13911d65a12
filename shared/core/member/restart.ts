import { type Finding, finding } from "../answers/finding.ts";
import type { NamedCluster } from "./observation.ts";

/** What would restart istiod waits, because a new istiod begins without the endpoints of silent members. */
export function wouldLose({ clusterId }: NamedCluster, silent: readonly string[]): Finding {
  const names = silent.join(", ");
  return finding(
    "RollOutWaits",
    `a change that restarts istiod of ${clusterId} waits: the API server of ${names} does not answer, and a restarted istiod would not know the pods there`,
    `mend ${names}; or send it no more requests: ${silent.map((id) => `meshjoin drain ${id}`).join("; ")}; or lose its pods for the workloads of ${clusterId} alone until it answers: meshjoin sync --cluster ${clusterId} --confirm RollOutWaits`,
    clusterId,
  );
}

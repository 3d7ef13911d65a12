import { type Finding, finding } from "../answers/finding.ts";
import type { NamedCluster } from "./observation.ts";

/** Clusters whose endpoints an istiod holds and another one would not get; by their IDs. */
export interface Losses {
  /** Members whose API servers do not answer. */
  readonly members: readonly string[];
  /** The same of clusters that are no members now. */
  readonly silent: readonly string[];
  /** No source tells of them, so nobody could ask. */
  readonly unknown: readonly string[];
}

/** What would restart istiod waits, because a new istiod begins without the endpoints of silent clusters. */
export function wouldLose({ clusterId }: NamedCluster, { members, silent, unknown }: Losses): Finding {
  const silentOnes = [...members, ...silent].toSorted();
  const names = [...silentOnes, ...unknown].join(", ");
  const why = [
    silentOnes.length === 0 ? "" : `the API server of ${silentOnes.join(", ")} does not answer`,
    unknown.length === 0 ? "" : `nothing tells whether the API server of ${unknown.join(", ")} answers`,
  ];
  const cures = [
    `mend ${names}`,
    members.length === 0
      ? ""
      : `or send it no more requests: ${members.map((id) => `meshjoin drain ${id}`).join("; ")}`,
    `or lose its pods for the workloads of ${clusterId} alone until it answers: meshjoin sync --cluster ${clusterId} --confirm RollOutWaits`,
  ];
  return finding(
    "RollOutWaits",
    `a change that restarts istiod of ${clusterId} waits: ${why.filter(Boolean).join(", and ")}, and a restarted istiod would not know the pods there`,
    cures.filter(Boolean).join("; "),
    clusterId,
  );
}

import type { Cluster } from "../shared/core/cluster/cluster.ts";
import { clusterResource } from "../shared/core/names.ts";
import type { OperatorRun } from "../shared/operator.ts";

/** A run whose sources answer for one cluster as if it were so already. */
export function asIf(run: OperatorRun, cluster: Cluster): OperatorRun {
  const resource = clusterResource(cluster.ref);
  const { sources } = run.ports;
  return {
    ...run,
    ports: {
      ...run.ports,
      sources: {
        configured: (spec) => sources.configured(spec),
        of(ref) {
          const source = sources.of(ref);
          return clusterResource(ref) === resource
            ? { ...source, get: () => Promise.resolve(cluster) }
            : source;
        },
      },
    },
  };
}

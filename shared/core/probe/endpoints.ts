import { envoyCluster } from "./wire.ts";

/** An endpoint of one target's probe, as the reader's Envoy has it. */
export interface ProbeEndpoint {
  readonly address: string;
  /** istiod calls it unhealthy: its pod is not ready. */
  readonly isUnhealthy: boolean;
  /** Envoy has ejected it, because of earlier failures. */
  readonly isEjected: boolean;
}

interface ClusterStatuses {
  readonly cluster_statuses?: readonly {
    readonly name?: string;
    readonly host_statuses?: readonly {
      readonly address?: { readonly socket_address?: { readonly address?: string } };
      readonly health_status?: {
        readonly eds_health_status?: string;
        readonly failed_outlier_check?: boolean;
      };
    }[];
  }[];
}

/**
 * The endpoints of a target in Envoy's `/clusters?format=json`; undefined where Envoy has no cluster for it.
 * https://www.envoyproxy.io/docs/envoy/latest/api-v3/admin/v3/clusters.proto
 */
export function endpointsIn(statuses: unknown, targetId: string): readonly ProbeEndpoint[] | undefined {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- every field is optional
  const { cluster_statuses: clusters = [] } = (statuses ?? {}) as ClusterStatuses;
  const cluster = clusters.find(({ name }) => name === envoyCluster(targetId));
  return (
    cluster?.host_statuses?.map(({ address, health_status: health }) => ({
      address: address?.socket_address?.address ?? "",
      isUnhealthy: (health?.eds_health_status ?? "HEALTHY") !== "HEALTHY",
      isEjected: health?.failed_outlier_check === true,
    })) ?? (cluster === undefined ? undefined : [])
  );
}

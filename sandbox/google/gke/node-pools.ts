import { record, text } from "./fields.ts";

/** What GKE calls the one that it makes by itself. */
const DEFAULT_POOL = "default-pool";

/** What each pool of a cluster has of it. */
interface OfCluster {
  readonly selfLink: string;
  readonly status: string;
  readonly locations: readonly string[];
  readonly version?: string | undefined;
}

/**
 * `NodePool`s of the API: the fields that a caller stated, and of the others those that follow from the
 * cluster; https://cloud.google.com/kubernetes-engine/docs/reference/rest/v1/projects.locations.clusters.nodePools
 */
export function renderNodePools(
  { nodePools, initialNodeCount }: Readonly<Record<string, unknown>>,
  { selfLink, status, locations, version }: OfCluster,
): object[] {
  const stated = Array.isArray(nodePools) && nodePools.length > 0 ? nodePools : [{ initialNodeCount }];
  return stated.map((each: unknown) => {
    const pool = record(each);
    const name = text(pool["name"]) ?? DEFAULT_POOL;
    return { locations, version, ...pool, name, selfLink: `${selfLink}/nodePools/${name}`, status };
  });
}

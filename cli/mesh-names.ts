import type { Cluster } from "../shared/core/cluster/cluster.ts";
import { shortNames } from "../shared/core/cluster/short-names.ts";
import { type NamedCluster, named } from "../shared/core/member/observation.ts";
import { placed } from "./reconciled.ts";
import type { Names } from "./screen.ts";

/** Short names for sentences: of members, and of further clusters. */
export function namesIn(members: readonly NamedCluster[], ...further: readonly Cluster[]): Names {
  const all = new Map([...members, ...further.map(named)].map((each) => [each.clusterId, placed(each)]));
  const short = shortNames([...all.values()]);
  return (clusterId) => short.get(clusterId) ?? clusterId;
}

import type { Cluster } from "../core/cluster/cluster.ts";
import type { MemberApi } from "./member-api.ts";

export interface Fleet {
  /** The same `MemberApi` for the same cluster within one run; fails only on use, not here. */
  member(cluster: Cluster): MemberApi;
  close(): Promise<void>;
}

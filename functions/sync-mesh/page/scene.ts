import type { Finding } from "../../../shared/core/answers/finding.ts";
import type { MemberStatus } from "../../../shared/core/answers/status.ts";
import { shortNames } from "../../../shared/core/cluster/short-names.ts";
import { type Connection, connectionsOf, countByState, type Tally } from "./facts/connections.ts";
import { type Expiry, expiriesOf } from "./facts/expiries.ts";
import { openFindings } from "./facts/findings.ts";
import { type Gap, gapsOf } from "./facts/gaps.ts";
import type { PageView } from "./view.ts";

/** A view with the facts that several sections need. */
export interface Scene extends PageView {
  /** By network, then by name: the order of every picture and table. */
  readonly members: readonly MemberStatus[];
  readonly connections: readonly Connection[];
  /** The connections of a member as reader (`reads`) and as target (`isRead`), by its cluster ID. */
  readonly reads: ReadonlyMap<string, readonly Connection[]>;
  readonly isRead: ReadonlyMap<string, readonly Connection[]>;
  readonly tally: Tally;
  readonly gaps: readonly Gap[];
  readonly expiries: readonly Expiry[];
  readonly findings: readonly Finding[];
  /** Short and unique among the members; for other clusters the cluster ID. */
  readonly nameOf: (clusterId: string) => string;
}

export function sceneOf(view: PageView): Scene {
  const { status } = view;
  const names = shortNames(status.members);
  const nameOf = (clusterId: string): string => names.get(clusterId) ?? clusterId;
  const connections = connectionsOf(status);
  const sortKey = ({ network, clusterId }: MemberStatus): string =>
    JSON.stringify([network, nameOf(clusterId), clusterId]);
  return {
    ...view,
    members: status.members.toSorted((a, b) => (sortKey(a) < sortKey(b) ? -1 : 1)),
    connections,
    reads: Map.groupBy(connections, ({ reader }) => reader),
    isRead: Map.groupBy(connections, ({ target }) => target),
    tally: countByState(connections),
    gaps: gapsOf(connections),
    expiries: expiriesOf(status, connections),
    findings: openFindings(status),
    nameOf,
  };
}

/** A page with a plan does not refresh: the next load would drop the plan. */
export function isRefreshing({ refreshSeconds, plan }: Scene): boolean {
  return refreshSeconds > 0 && plan === undefined;
}

import type { Finding } from "../../../shared/core/answers/finding.ts";
import type { MemberStatus } from "../../../shared/core/answers/status.ts";
import { type Verdict, verdictOf } from "../../../shared/core/answers/verdict.ts";
import { shortNames } from "../../../shared/core/cluster/short-names.ts";
import { type Expiry, expiriesOf } from "./facts/expiries.ts";
import { openFindings } from "./facts/findings.ts";
import { type Gap, gapsOf } from "./facts/gaps.ts";
import { memberHealths, worstMembersFirst } from "./facts/member-health.ts";
import { countByState, type OrderedPair, orderedPairsOf, type Tally } from "./facts/pairs.ts";
import type { PageView } from "./view.ts";

/** A view with the facts that several sections need. */
export interface Scene extends PageView {
  readonly verdict: Verdict;
  /** By network, then by name: the order of every picture. */
  readonly members: readonly MemberStatus[];
  /** How many networks the members are in. */
  readonly networks: number;
  /** The members with trouble before the others: the order of the table. */
  readonly troubled: readonly MemberStatus[];
  readonly well: readonly MemberStatus[];
  readonly pairs: readonly OrderedPair[];
  /** The pairs of a member as reader (`reads`) and as target (`isRead`), by its cluster ID. */
  readonly reads: ReadonlyMap<string, readonly OrderedPair[]>;
  readonly isRead: ReadonlyMap<string, readonly OrderedPair[]>;
  readonly tally: Tally;
  readonly gaps: readonly Gap[];
  readonly expiries: readonly Expiry[];
  readonly findings: readonly Finding[];
  /** Short and unique among the members; for other clusters the cluster ID. */
  readonly nameOf: (clusterId: string) => string;
  /** Meshjoin does not reach it, so what the status lacks of it is not known. */
  readonly isAway: (clusterId: string) => boolean;
}

export function sceneOf(view: PageView): Scene {
  const { status } = view;
  const names = shortNames(status.members);
  const nameOf = (clusterId: string): string => names.get(clusterId) ?? clusterId;
  const pairs = orderedPairsOf(status);
  const sortKey = ({ network, clusterId }: MemberStatus): string =>
    JSON.stringify([network.name, nameOf(clusterId), clusterId]);
  const members = status.members.toSorted((a, b) => (sortKey(a) < sortKey(b) ? -1 : 1));
  const gaps = gapsOf(pairs);
  const findings = openFindings(status);
  const healths = memberHealths({ status, gaps, findings });
  const isWell = ({ clusterId }: MemberStatus): boolean => healths.get(clusterId) === "whole";
  const away = new Set(members.filter(({ reachable }) => !reachable).map(({ clusterId }) => clusterId));
  return {
    ...view,
    verdict: verdictOf(status),
    members,
    networks: new Set(members.map(({ network }) => network.name)).size,
    troubled: worstMembersFirst(
      members.filter((member) => !isWell(member)),
      healths,
    ),
    well: members.filter(isWell),
    pairs,
    reads: Map.groupBy(pairs, ({ reader }) => reader),
    isRead: Map.groupBy(pairs, ({ target }) => target),
    tally: countByState(pairs),
    gaps,
    expiries: expiriesOf(status, pairs),
    findings,
    nameOf,
    isAway: (clusterId) => away.has(clusterId),
  };
}

/** A page with a plan does not refresh: the next load would drop the plan. */
export function isRefreshing({ refreshSeconds, plan }: Scene): boolean {
  return refreshSeconds > 0 && plan === undefined;
}

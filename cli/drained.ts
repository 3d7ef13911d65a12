import type { Summary } from "../shared/core/answers/summary.ts";
import type { Cluster } from "../shared/core/cluster/cluster.ts";
import type { DrainState } from "../shared/core/member/drain.ts";
import { isReachable } from "../shared/core/member/observation.ts";
import { clusterId } from "../shared/core/names.ts";
import { MeshjoinError } from "../shared/errors.ts";
import { type Look, lookAt } from "../shared/look/mesh.ts";
import type { OperatorRun } from "../shared/operator.ts";
import { pairContextOf } from "../shared/plan/mesh.ts";
import { planPairs } from "../shared/plan/pair.ts";
import { planContext } from "../shared/plan-context.ts";
import type { Reconciled } from "../shared/reconcile.ts";
import { ANSWER_MS } from "./drain-coverage.ts";
import { namesIn } from "./mesh-names.ts";
import { lookAfter } from "./reconciled.ts";
import { renderDrained } from "./render/drained.ts";
import type { Session } from "./session.ts";

/** How the readers of a member stand after a `drain` or an `undrain`. */
export interface DrainedNow {
  readonly clusterId: string;
  /** What was wanted. */
  readonly state: DrainState;
  /** Cluster IDs of the peers that hold a remote secret of it. */
  readonly readers: readonly string[];
  /** Cluster IDs of the peers that hold none, and should when it serves. */
  readonly without: readonly string[];
  /** Cluster IDs of the peers that could not be asked. */
  readonly unseen: readonly string[];
  /** Why not all members are known, a sentence each without its period. */
  readonly unlisted: readonly string[];
}

/** The result of `drain` and `undrain`. */
export interface DrainResult extends Summary {
  readonly drain: DrainedNow;
}

/** Looks at the world after the run, shows it, and answers whether it is as it was wanted. */
export async function showDrained(
  session: Session,
  reconciled: Reconciled,
  cluster: Cluster,
  state: DrainState,
): Promise<boolean> {
  const id = clusterId(cluster.ref);
  const seenNow = await lookAfter(session, reconciled, async (run) => {
    const look = await lookAt(run, "mesh", { known: [cluster], memberTimeoutMs: ANSWER_MS });
    return { ...look, apart: apartFrom(run, look, id) };
  });
  if (seenNow === undefined) return false;
  const { members, listing, apart } = seenNow;
  const peers = members.filter((member) => member.clusterId !== id);
  const seen = peers.filter(isReachable);
  const idsOf = (some: readonly { readonly clusterId: string }[]) => some.map((each) => each.clusterId);
  const reads = (member: (typeof seen)[number]) =>
    member.state.remoteSecrets.some(({ isRead, targetId }) => isRead && targetId === id);
  const drain: DrainedNow = {
    clusterId: id,
    state,
    readers: idsOf(seen.filter(reads)),
    without: idsOf(seen.filter((member) => !reads(member) && !apart.has(member.clusterId))),
    unseen: idsOf(peers.filter((member) => !isReachable(member))),
    unlisted: listing.findings.map(({ message }) => message),
  };
  const names = namesIn(members, cluster);
  session.show<DrainResult>({ ...reconciled.summary, drain }, (result, screen) =>
    renderDrained(result, screen, names),
  );
  const left = state === "drained" ? drain.readers : drain.without;
  return left.length + drain.unseen.length + drain.unlisted.length === 0;
}

/** IDs of the peers that have no route to it, so they are no pair. Without roots nobody can tell. */
function apartFrom(run: OperatorRun, look: Look, id: string): ReadonlySet<string> {
  const { roots } = look;
  if (roots instanceof MeshjoinError) return new Set();
  const context = pairContextOf({ ...look, roots }, planContext(run, { scope: "mesh" }), "now");
  const plans = planPairs(new Set([id]), context);
  return new Set(plans.flatMap(({ reader, target, isApart }) => (target === id && isApart ? [reader] : [])));
}

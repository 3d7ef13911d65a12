import type { Summary } from "../shared/core/answers/summary.ts";
import type { Cluster } from "../shared/core/cluster/cluster.ts";
import type { DrainState } from "../shared/core/member/drain.ts";
import { isReachable } from "../shared/core/member/observation.ts";
import { clusterId } from "../shared/core/names.ts";
import { lookAt } from "../shared/look/mesh.ts";
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
  /** Cluster IDs of the peers that hold none. */
  readonly without: readonly string[];
  /** Cluster IDs of the peers that could not be asked. */
  readonly unseen: readonly string[];
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
  const members = await lookAfter(session, reconciled, async (run) => {
    return (await lookAt(run, "mesh", { known: [cluster], memberTimeoutMs: ANSWER_MS })).members;
  });
  if (members === undefined) return false;
  const id = clusterId(cluster.ref);
  const peers = members.filter((member) => member.clusterId !== id);
  const seen = peers.filter(isReachable);
  const idsOf = (some: readonly { readonly clusterId: string }[]) => some.map((each) => each.clusterId);
  const reads = (member: (typeof seen)[number]) =>
    member.state.remoteSecrets.some(({ isRead, targetId }) => isRead && targetId === id);
  const drain: DrainedNow = {
    clusterId: id,
    state,
    readers: idsOf(seen.filter(reads)),
    without: idsOf(seen.filter((member) => !reads(member))),
    unseen: idsOf(peers.filter((member) => !isReachable(member))),
  };
  const names = namesIn(members, cluster);
  session.show<DrainResult>({ ...reconciled.summary, drain }, (result, screen) =>
    renderDrained(result, screen, names),
  );
  const left = state === "drained" ? drain.readers : drain.without;
  return left.length === 0 && drain.unseen.length === 0;
}

import type { Summary } from "../shared/core/answers/summary.ts";
import type { Cluster } from "../shared/core/cluster/cluster.ts";
import { isReachable, type Member, type ReachableMember } from "../shared/core/member/observation.ts";
import { clusterId } from "../shared/core/names.ts";
import { observeMembers } from "../shared/look/members.ts";
import { lookAt } from "../shared/look/mesh.ts";
import type { Reconciled } from "../shared/reconcile.ts";
import { namesIn } from "./mesh-names.ts";
import { lookAfter } from "./reconciled.ts";
import { renderLeft } from "./render/left.ts";
import type { Session } from "./session.ts";

/** What the members and the cluster itself hold after a `leave`. */
export interface Left {
  readonly clusterId: string;
  /** Cluster IDs of those that hold credentials of it, or that it holds credentials of. */
  readonly holders: readonly string[];
  /** Cluster IDs of members that could not be asked. */
  readonly unseen: readonly string[];
  /** Why not all members are known, a sentence each without its period. */
  readonly unlisted: readonly string[];
  /** When its intermediate CA ends; null where Meshjoin could not read one of its own. */
  readonly trustedUntil: string | null;
}

/** The result of `leave`. */
export interface LeaveResult extends Summary {
  readonly left: Left;
}

/**
 * Looks at the world after the run, shows it, and answers whether the cluster has left: the result is not
 * what this run did, but what is true.
 */
export async function showLeft(session: Session, reconciled: Reconciled, cluster: Cluster): Promise<boolean> {
  const looked = await lookAfter(session, reconciled, async (run) => {
    const [{ members, listing }, [leaver]] = await Promise.all([
      lookAt(run, "mesh", { known: [cluster] }),
      observeMembers(run, [cluster], { depth: "peer" }),
    ]);
    return { members, listing, leaver };
  });
  if (looked === undefined) return false;
  const { members, listing, leaver } = looked;
  const unlisted = listing.findings.map(({ message }) => message);
  const left = { ...leftOf(clusterId(cluster.ref), members, leaver), unlisted };
  const names = namesIn(members, cluster);
  session.show<LeaveResult>({ ...reconciled.summary, left }, (result, screen) =>
    renderLeft(result, screen, names),
  );
  return left.holders.length + left.unseen.length + unlisted.length === 0;
}

function leftOf(id: string, members: readonly Member[], leaver: Member | undefined): Omit<Left, "unlisted"> {
  const others = members.filter((member) => member.clusterId !== id);
  const own = leaver !== undefined && isReachable(leaver) ? [leaver] : [];
  const cacerts = own[0]?.state.cacerts;
  const until = cacerts === undefined || cacerts.owner === "foreign" ? undefined : cacerts.notAfter;
  const holders = others.filter(isReachable).filter((member) => holds(member, id));
  return {
    clusterId: id,
    holders: [...holders, ...own.filter((member) => holds(member, undefined))].map((each) => each.clusterId),
    unseen: others.filter((member) => !isReachable(member)).map((each) => each.clusterId),
    trustedUntil: until?.toISOString() ?? null,
  };
}

/** Credentials of that cluster or for it; undefined: of any. */
function holds(
  { state: { remoteSecrets, readerSecrets } }: ReachableMember,
  id: string | undefined,
): boolean {
  const isAbout = (other: string) => id === undefined || other === id;
  return (
    remoteSecrets.some(({ owner, targetId }) => owner === "ours" && isAbout(targetId)) ||
    readerSecrets.some(({ owner, readerId }) => owner === "ours" && isAbout(readerId))
  );
}

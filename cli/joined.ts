import { wantedPairs } from "../shared/core/answers/drained.ts";
import type { Status } from "../shared/core/answers/status.ts";
import type { Summary } from "../shared/core/answers/summary.ts";
import type { Reconciled } from "../shared/reconcile.ts";
import { collectStatus } from "../shared/status.ts";
import { isMember } from "./goal.ts";
import { lookAfter } from "./reconciled.ts";
import { renderJoined } from "./render/joined.ts";
import { namesFor } from "./screen.ts";
import type { Session } from "./session.ts";

/** What istiods show of a cluster after a `join`. */
export interface Joined {
  readonly clusterId: string;
  /** Of ordered pairs that should be, with the cluster as reader or target. */
  readonly pairs: number;
  readonly synced: number;
  /** What is missing, a sentence without its period; null if it is a member and all its pairs are synced. */
  readonly missing: string | null;
}

/** The result of `join`. */
export interface JoinResult extends Summary {
  readonly joined: Joined;
}

/**
 * Looks at the world after the run, shows it, and answers whether the cluster is a member with all its pairs:
 * a function may have been faster.
 */
export async function showJoined(
  session: Session,
  reconciled: Reconciled,
  clusterId: string,
): Promise<boolean> {
  const status = await lookAfter(session, reconciled, (run) => collectStatus(run));
  if (status === undefined) return false;
  const joined = joinedOf(clusterId, status);
  session.show<JoinResult>({ ...reconciled.summary, joined }, (result, screen) =>
    renderJoined(result, screen, namesFor(screen, status.members)),
  );
  return joined.missing === null;
}

function joinedOf(clusterId: string, status: Status): Joined {
  const own = wantedPairs(status).filter(({ reader, target }) => [reader, target].includes(clusterId));
  const pairs = [...Map.groupBy(own, ({ reader, target }) => `${reader} ${target}`).values()];
  return {
    clusterId,
    pairs: pairs.length,
    synced: pairs.filter((pods) => pods.every((pod) => pod.status === "synced")).length,
    missing: isMember(clusterId)(status) ?? null,
  };
}

import { type Finding, finding } from "../answers/finding.ts";
import type { ClusterRef } from "../cluster/cluster.ts";
import { describeCommand } from "../cluster/gcloud.ts";
import { clusterId as idOf } from "../names.ts";
import { sentenceTime } from "../time.ts";
import type { Member, ReachableMember, Unreachable } from "./observation.ts";

/** Why Meshjoin knows nothing of a member; undefined for one that it could read. */
export function outOfReach({ cluster, state }: Member): Finding | undefined {
  return state.reachable ? undefined : describe(state, cluster.ref);
}

/**
 * Its API server does not answer Meshjoin. Whether it answers other members nobody can tell: an istiod goes
 * on calling it synced. A refusal is an answer.
 */
export function isSilent({ state }: Member): boolean {
  return !state.reachable && state.retryable;
}

/** Their IDs. */
export function silentIn(members: readonly Member[]): ReadonlySet<string> {
  return new Set(members.filter(isSilent).map(({ clusterId }) => clusterId));
}

/** Those of the silent clusters that the member's istiods read, by their IDs. */
export function silentPeersOf({ state }: ReachableMember, silent: ReadonlySet<string>): readonly string[] {
  const read = state.remoteSecrets.filter(({ isRead }) => isRead).map(({ targetId }) => targetId);
  return [...new Set(read)].filter((id) => silent.has(id)).toSorted();
}

/** IDs of clusters that the member's istiods read by Meshjoin's credentials, and that are no members. */
export function strangersOf({ state }: ReachableMember, members: readonly Member[]): readonly string[] {
  const known = new Set(members.map(({ clusterId }) => clusterId));
  const read = state.remoteSecrets.filter(({ isRead, owner }) => isRead && owner === "ours");
  return [...new Set(read.map(({ targetId }) => targetId))].filter((id) => !known.has(id)).toSorted();
}

/** With each command that restarts an istiod that answers. */
export const RESTART_CAUTION =
  "but not while the API server of another member is silent (ApiServerUnreachable): istiod would lose that member's pods";

/** Measured on real istiods. */
const WHAT_GOES_ON =
  "requests to it go on, to the pods that the other members' istiods know; an istiod of theirs that restarts now knows none, so restart none";

/** Silence may end by itself; a refusal comes again until a person acts. */
function describe({ code, message, cure, retryable, silentSince }: Unreachable, ref: ClusterRef): Finding {
  const clusterId = idOf(ref);
  if (code === "EndpointNotAvailable") {
    return finding(
      "EndpointNotAvailable",
      message,
      cure ?? "give it one, or change MESHJOIN_ACCESS_FUNCTION",
      clusterId,
    );
  }
  if (code === "Unexpected") {
    return finding(
      "MemberUnreadable",
      message,
      "look up the log of the run by the cluster's ID, and mend the object that it names; each full run looks again",
      clusterId,
    );
  }
  return retryable
    ? finding(
        "ApiServerUnreachable",
        `the API server of ${clusterId} did not answer${sinceWords(silentSince)}: ${message}; ${WHAT_GOES_ON}`,
        `if it lasts, see its state and its authorized networks: ${describeCommand(ref)}; to send it no more requests: meshjoin drain ${clusterId}; each full run looks again`,
        clusterId,
      )
    : finding(
        "ApiServerRefused",
        `the API server of ${clusterId} refused Meshjoin: ${message}`,
        cure ?? "grant the service account of the function what the message names",
        clusterId,
      );
}

function sinceWords(silentSince: Date | undefined): string {
  return silentSince === undefined ? "" : `, since ${sentenceTime(silentSince)} at the latest`;
}

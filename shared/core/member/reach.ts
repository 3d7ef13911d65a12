import { type Finding, finding } from "../answers/finding.ts";
import type { ClusterRef } from "../cluster/cluster.ts";
import { describeCommand } from "../cluster/gcloud.ts";
import { clusterId as idOf } from "../names.ts";
import type { Member, Unreachable } from "./observation.ts";

/** Why Meshjoin knows nothing of a member; undefined for one that it could read. */
export function outOfReach({ cluster, state }: Member): Finding | undefined {
  return state.reachable ? undefined : describe(state, cluster.ref);
}

/**
 * Measured on real istiods. It holds for a member that others read; a newcomer that never answered has
 * nothing to lose.
 */
const WHAT_GOES_ON =
  "requests to it go on, to the pods that the other members' istiods saw last; an istiod of theirs that restarts now loses those, so restart none";

/** Silence may end by itself; a refusal comes again until a person acts. */
function describe({ code, message, cure, retryable }: Unreachable, ref: ClusterRef): Finding {
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
        `the API server of ${clusterId} did not answer: ${message}; ${WHAT_GOES_ON}`,
        `if it lasts, see its state and its authorized networks: ${describeCommand(ref)}; each full run looks again`,
        clusterId,
      )
    : finding(
        "ApiServerRefused",
        `the API server of ${clusterId} refused Meshjoin: ${message}`,
        cure ?? "grant the service account of the function what the message names",
        clusterId,
      );
}

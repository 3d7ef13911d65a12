import { type Finding, finding } from "../answers/finding.ts";
import type { Member, Unreachable } from "./observation.ts";

/** Why nothing is known of a member; undefined if something is. */
export function outOfReach({ clusterId, state }: Member): Finding | undefined {
  return state.reachable ? undefined : describe(state, clusterId);
}

/** Silence may end by itself; what was said will be said again. */
function describe({ code, message, cure, retryable }: Unreachable, clusterId: string): Finding {
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
      "the log of the run has the cause, by the ID of the cluster: mend the object that it is about; each full run looks again",
      clusterId,
    );
  }
  return retryable
    ? finding(
        "ApiServerUnreachable",
        `the API server of ${clusterId} did not answer: ${message}`,
        cure ??
          "check the cluster's health, its authorized networks and MESHJOIN_ACCESS_FUNCTION if it lasts; each full run looks again",
        clusterId,
      )
    : finding(
        "ApiServerRefused",
        `the API server of ${clusterId} refused Meshjoin: ${message}`,
        cure ?? "grant the service account of the function what the message names",
        clusterId,
      );
}

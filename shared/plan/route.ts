import { type Finding, finding } from "../core/answers/finding.ts";
import type { Member, NamedCluster } from "../core/member/observation.ts";
import { outOfReach } from "../core/member/reach.ts";
import type { PairContext } from "./context.ts";

/**
 * How requests of one member's pods reach those of another: `direct`, not yet (`pending`), or not at all
 * (`none`): then the two are no pair.
 */
export type Route =
  | { readonly kind: "direct" }
  | { readonly kind: "pending" | "none"; readonly finding: Finding };

const DIRECT: Route = { kind: "direct" };

/** Whether the reader may have a remote secret for the target: one network, and both halves finished. */
export function routeBetween(reader: Member, target: Member, context: PairContext): Route {
  const route = networkRoute(reader, target);
  const waiting =
    route.kind === "direct" ? (notComplete(reader, context) ?? notComplete(target, context)) : undefined;
  return waiting === undefined ? route : { kind: "pending", finding: waiting };
}

/** Pods of VPC-native clusters reach each other within their network, and nowhere else. */
export function networkRoute(reader: NamedCluster, target: NamedCluster): Route {
  const routesBased = [reader, target].find(({ cluster }) => !cluster.vpcNative);
  if (routesBased !== undefined) {
    return notShared(
      `${routesBased.clusterId} has no VPC-native pods, so ${reader.clusterId} cannot reach pods of ${target.clusterId}`,
      "recreate it as a VPC-native cluster",
      reader,
    );
  }
  if (reader.network === target.network) return DIRECT;
  return notShared(
    `${reader.clusterId} is in network ${reader.network} and ${target.clusterId} in ${target.network}`,
    "put them into one VPC; Meshjoin does not pair members of different networks",
    reader,
  );
}

function notShared(message: string, cure: string, { clusterId }: NamedCluster): Route {
  return { kind: "none", finding: finding("NetworkNotShared", message, cure, clusterId) };
}

function notComplete(member: Member, context: PairContext): Finding | undefined {
  if (isComplete(member, context)) return undefined;
  return (
    outOfReach(member) ??
    finding(
      "PeerPending",
      `${member.clusterId} has not finished its own half`,
      "nothing: that member makes the pair when it has",
      member.clusterId,
    )
  );
}

/** Whether its own half suffices for a pair. `afterwards` a pending one does: the run completes it. */
export function isComplete({ clusterId }: Member, { standings, view }: PairContext): boolean {
  const standing = standings.get(clusterId);
  return (
    standing === "complete" || (view === "afterwards" && standing !== undefined && standing !== "blocked")
  );
}

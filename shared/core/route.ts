import { type Finding, finding } from "./finding.ts";
import type { Member } from "./observation.ts";

/** How requests of one member's pods get to those of another; a finding where they do not, and the two are not paired. */
export type Route = { readonly kind: "direct" } | { readonly kind: "none"; readonly finding: Finding };

const DIRECT: Route = { kind: "direct" };

/** Pods of VPC-native clusters reach each other within their network, and nowhere else. */
export function routeBetween(reader: Member, target: Member): Route {
  const routed = [reader, target].find((member) => !member.cluster.vpcNative);
  if (routed !== undefined) {
    return notShared(
      `${routed.clusterId} has no VPC-native pods, so ${reader.clusterId} cannot reach pods of ${target.clusterId}`,
      "recreate it as a VPC-native cluster",
      reader,
    );
  }
  if (reader.network === target.network) return DIRECT;
  return notShared(
    `${reader.clusterId} is in network ${reader.network} and ${target.clusterId} in ${target.network}`,
    "members of different networks are not paired; put them into one VPC",
    reader,
  );
}

function notShared(message: string, cure: string, { clusterId }: Member): Route {
  return { kind: "none", finding: finding("NetworkNotShared", message, cure, clusterId) };
}

import { type Check, fault, fine, unknown } from "../../shared/core/check.ts";
import type { Cluster } from "../../shared/core/cluster.ts";
import { clusterId, networkName } from "../../shared/core/names.ts";
import { someOf } from "../render/words.ts";

/** Only members of one VPC are paired, and only pods with addresses of that VPC reach each other. */
export function checkNetwork(members: readonly Cluster[], isComplete: boolean): Check[] {
  if (members.length === 0) return [];
  const subject = { name: "network", account: "caller" } as const;
  const routed = members.filter(({ vpcNative }) => !vpcNative).map(({ ref }) => clusterId(ref));
  const networks = Map.groupBy(members, ({ network }) => networkName(network));
  const shares = [...networks].map(([name, own]) => `${name} (${own.length})`);
  const faults = [
    ...(routed.length === 0
      ? []
      : [
          fault(
            subject,
            `pods of ${someOf(routed)} have no addresses of the VPC`,
            "recreate as VPC-native clusters",
          ),
        ]),
    ...(networks.size === 1
      ? []
      : [
          fault(
            subject,
            `the members are in ${networks.size} networks: ${shares.join(", ")}`,
            "put them into one VPC; those of different networks are not paired",
          ),
        ]),
  ];
  if (faults.length > 0) return faults;
  const name = [...networks.keys()].join("");
  return [
    isComplete
      ? fine(subject, `all members are in ${name}`)
      : unknown(subject, `the members that were listed are in ${name}; of others nothing is known`),
  ];
}

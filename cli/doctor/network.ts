import { type Check, fault, fine, unknown } from "../../shared/core/answers/check.ts";
import type { Cluster } from "../../shared/core/cluster/cluster.ts";
import { type NamedCluster, named } from "../../shared/core/member/observation.ts";
import { networkRoute } from "../../shared/plan/route.ts";
import { someOf } from "../render/words.ts";

/** Members must be in one VPC, and their pods must have addresses of it. */
export function checkNetwork(members: readonly Cluster[], isComplete: boolean): Check[] {
  if (members.length === 0) return [];
  const subject = { name: "network", account: "caller" } as const;
  const routed = members.filter(({ vpcNative }) => !vpcNative).map((each) => named(each).clusterId);
  const networks = Map.groupBy(members.map(named), ({ network }) => network);
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
    ...(reachEachOther(networks)
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
  const name = [...networks.keys()].join(", ");
  return [
    isComplete
      ? fine(subject, `all members are in ${name}`)
      : unknown(subject, `the listed members are in ${name}; others are not known`),
  ];
}

/** Whether there is a route from each network to each other one. */
function reachEachOther(networks: ReadonlyMap<string, readonly NamedCluster[]>): boolean {
  const ends = [...networks.values()].flatMap(
    (own) => own.find(({ cluster }) => cluster.vpcNative) ?? own.slice(0, 1),
  );
  return ends.every((one) =>
    ends.every((other) => one === other || networkRoute(one, other).kind !== "none"),
  );
}

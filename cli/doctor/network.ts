import { type Check, fault, fine, unknown } from "../../shared/core/answers/check.ts";
import type { Finding } from "../../shared/core/answers/finding.ts";
import type { Cluster } from "../../shared/core/cluster/cluster.ts";
import { type NamedCluster, named } from "../../shared/core/member/observation.ts";
import { isNetworkDeclared } from "../../shared/core/network/network.ts";
import type { MeshSpec } from "../../shared/core/spec.ts";
import { indexNetworks } from "../../shared/plan/networks.ts";
import { possibleRoute } from "../../shared/plan/route.ts";
import { someOf } from "../render/words.ts";

/** Each two members must have a way for requests: one VPC with pods of its addresses, or a gateway. */
export function checkNetwork(members: readonly Cluster[], isComplete: boolean, spec: MeshSpec): Check[] {
  if (members.length === 0) return [];
  const subject = { name: "network", account: "caller" } as const;
  const all = members.map(named);
  const networks = Map.groupBy(all, ({ network }) => network);
  const faults = missingRoutes(all, networks, spec);
  if (faults.length > 0) return faults.map(({ message, cure }) => fault(subject, message, cure));
  const routed = all.filter(({ cluster }) => !cluster.vpcNative && !isNetworkDeclared(cluster));
  if (routed.length > 0) {
    const who = someOf(routed.map(({ clusterId }) => clusterId));
    const cure =
      "recreate as VPC-native clusters, or give each a network of its own: meshjoin label CLUSTER --network=NAME";
    return [fault(subject, `pods of ${who} have no addresses of the VPC`, cure)];
  }
  const names = [...networks.keys()];
  const where =
    names.length === 1
      ? `in ${names.join()}`
      : `in ${names.length} networks, ${names.join(", ")}, with a way between each two`;
  return [
    isComplete
      ? fine(subject, `all members are ${where}`)
      : unknown(subject, `the listed members are ${where}; others are not known`),
  ];
}

/** Of any two networks the first two members without a way, so that a fault of many is named once. */
function missingRoutes(
  members: readonly NamedCluster[],
  networks: ReadonlyMap<string, readonly NamedCluster[]>,
  spec: MeshSpec,
): Finding[] {
  const kinds = [...networks.values()];
  const index = indexNetworks(members, spec);
  return kinds.flatMap((readers) =>
    kinds.flatMap((targets): Finding[] => {
      const routes = readers.flatMap((reader) =>
        targets.flatMap((target) =>
          reader === target ? [] : [possibleRoute(reader, target, { spec, networks: index })],
        ),
      );
      const none = routes.find(({ kind }) => kind === "none");
      return none !== undefined && "finding" in none ? [none.finding] : [];
    }),
  );
}

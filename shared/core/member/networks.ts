import type { Cluster } from "../cluster/cluster.ts";
import { networkName } from "../names.ts";
import { isNetworkLabel, networkOf } from "../network/network.ts";
import type { Member, Reachable } from "./observation.ts";

/** The networks of a member, by what its cluster shows: a changed label alone changes none of them. */
export interface MemberNetworks {
  /** The one that istiods take its pods to be in, unless a pod's own label says otherwise. */
  readonly network: string;
  /** The one before, while pods that started there may still run. */
  readonly formerNetwork?: string | undefined;
  /** The one that it changes to by its label, as a person has confirmed. */
  readonly nextNetwork?: string | undefined;
}

/**
 * A cluster that Meshjoin has installed is in istiod's network; one without a note is of a release that knew
 * no label, and took the VPC's. A change of network is on record on the namespace, and istiod follows it; a
 * record of which a part is lost or nonsense says that pods may still be where istiod was. A foreign istiod
 * that is paired stays in the network that it has, if a member may be in such a one.
 */
export function networksSeen(
  { controlPlane, namespace, remoteSecrets, readerSecrets, podsElsewhere }: Reachable,
  cluster: Cluster,
): MemberNetworks {
  const wanted = networkOf(cluster);
  const ofVpc = networkName(cluster.network);
  /** A note that names no network that a member may be in says nothing. */
  const nameIn = (note: string | undefined) =>
    note !== undefined && (note === ofVpc || isNetworkLabel(note)) ? note : undefined;
  if (controlPlane?.owner === "foreign") {
    const isPaired = [...remoteSecrets, ...readerSecrets].some(({ owner }) => owner === "ours");
    return { network: (isPaired ? nameIn(controlPlane.identity?.network) : undefined) ?? wanted };
  }
  if (controlPlane?.manifestHash === undefined) return { network: wanted };
  const notes = namespace?.owner === "ours" ? namespace : undefined;
  const changedTo = nameIn(notes?.changedTo);
  const istiods = nameIn(controlPlane.network) ?? ofVpc;
  const network = changedTo ?? istiods;
  const isDeserted =
    controlPlane.network === network &&
    controlPlane.rolledOut &&
    Array.isArray(podsElsewhere) &&
    podsElsewhere.length === 0;
  const { changedTo: to, formerNetwork: from } = namespace ?? {};
  const isOver = isDeserted || (to === undefined && from === undefined);
  const formerNetwork = isOver ? undefined : (nameIn(from) ?? nameIn(controlPlane.formerNetwork) ?? istiods);
  const isBegun = notes?.nextNetwork === wanted && wanted !== network;
  return {
    network,
    ...(formerNetwork === undefined || formerNetwork === network ? {} : { formerNetwork }),
    ...(isBegun ? { nextNetwork: wanted } : {}),
  };
}

/** The networks that its pods may be in. */
export function presentNetworks({ network, formerNetwork }: MemberNetworks): readonly string[] {
  return formerNetwork === undefined ? [network] : [network, formerNetwork];
}

/**
 * An unreachable member counts in the network that it was seen in last: by the look before, else as its
 * readers noted it. Its label may name another one by now.
 */
export function withLastNetworks(members: readonly Member[], before: readonly Member[] = []): Member[] {
  const seen = new Map(before.flatMap((each) => (each.state.reachable ? [[each.clusterId, each]] : [])));
  return members.map((member) => {
    if (member.state.reachable) return member;
    const { network, formerNetwork, nextNetwork } = seen.get(member.clusterId) ?? {
      network: notedNetwork(member, members) ?? member.network,
    };
    return { ...member, network, formerNetwork, nextNetwork };
  });
}

/** By the newest remote secret of it that names one. */
function notedNetwork({ clusterId, cluster }: Member, members: readonly Member[]): string | undefined {
  const secrets = members
    .flatMap(({ state }) => (state.reachable ? state.remoteSecrets : []))
    .filter(({ owner, targetId, targetGkeId, targetNetwork }) => {
      const isOfIt = targetId === clusterId && targetGkeId === cluster.id;
      return owner === "ours" && isOfIt && targetNetwork !== undefined;
    });
  const issued = (at: Date | undefined) => at?.getTime() ?? 0;
  return secrets.toSorted((a, b) => issued(b.tokenIssuedAt) - issued(a.tokenIssuedAt))[0]?.targetNetwork;
}

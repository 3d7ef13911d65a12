import { type MemberNetworks, presentNetworks } from "../core/member/networks.ts";
import type { MemberState, NamedCluster } from "../core/member/observation.ts";
import { reaches } from "../core/network/connected.ts";
import { type Exposure, exposureOf, type GatewayState, isUp } from "../core/network/gateway.ts";
import { remembering } from "../core/remembering.ts";
import type { MeshSpec } from "../core/spec.ts";
import type { WantedGateway } from "./context.ts";

/** A cluster, and what is known of its state. */
export type MaybeMember = NamedCluster & MemberNetworks & { readonly state?: MemberState };

/** The networks of a mesh, found once for all questions about its pairs: those are many. */
export interface Networks<M extends MaybeMember = MaybeMember> {
  /** Of all that another member than this one is in, or is about to change to. */
  besides(member: MaybeMember): readonly string[];
  /** Those with pods in it. */
  membersOf(network: string): readonly M[];
  /** Those with pods in it, and any other with a gateway of it. */
  ownersIn(network: string): readonly M[];
  /** Exposures of the gateways that the members of the network should have, or have by a person's hand. */
  exposuresIn(network: string): readonly Exposure[];
  /** IDs of the clusters that istiod of the reader reads by a remote secret. */
  readBy(reader: M): ReadonlySet<string>;
  /** The readers that have a remote secret of the cluster, whether istiod reads it or not. */
  holdersOf(clusterId: string): readonly M[];
}

export function indexNetworks<M extends MaybeMember>(members: readonly M[], spec: MeshSpec): Networks<M> {
  const present = groupByEach(members, presentNetworks);
  const owning = groupByEach(members, (member) => [
    ...new Set([...presentNetworks(member), ...(gatewaysOf(member) ?? []).map(({ network }) => network)]),
  ]);
  const counted = groupByEach(members, networksToCome);
  const names = [...counted.keys()];
  const alone = new Map(
    [...counted].flatMap(([network, of]) => (of.length === 1 ? [[network, of[0]?.clusterId] as const] : [])),
  );
  const besides = (member: MaybeMember) => {
    const isShared = networksToCome(member).every((network) => alone.get(network) !== member.clusterId);
    return isShared ? names : names.filter((network) => alone.get(network) !== member.clusterId);
  };
  const membersOf = (network: string) => present.get(network) ?? [];
  const ownersIn = (network: string) => owning.get(network) ?? [];
  const exposuresIn = remembering((network) => [
    ...new Set(
      membersOf(network).flatMap((member) => ownExposures(asIn(member, network), besides(member), spec)),
    ),
  ]);
  const targets = remembering((id) => {
    const reader = members.find(({ clusterId }) => clusterId === id);
    return new Set(reader === undefined ? [] : targetsOf(reader, ({ isRead }) => isRead));
  });
  const readBy = ({ clusterId }: M) => targets(clusterId);
  let holders: ReadonlyMap<string, readonly M[]> | undefined;
  const holdersOf = (id: string) => {
    holders ??= groupByEach(members, (member) => [...new Set(targetsOf(member, () => true))]);
    return holders.get(id) ?? [];
  };
  return {
    besides,
    membersOf,
    ownersIn,
    exposuresIn,
    readBy,
    holdersOf,
  };
}

function groupByEach<M>(
  members: readonly M[],
  keys: (member: M) => readonly string[],
): ReadonlyMap<string, readonly M[]> {
  const groups = new Map<string, M[]>();
  for (const member of members) {
    for (const key of keys(member)) {
      const group = groups.get(key) ?? [];
      groups.set(key, group);
      group.push(member);
    }
  }
  return groups;
}

/** Of these a gateway of any other member may be needed soon. */
function networksToCome(member: MemberNetworks): readonly string[] {
  const { nextNetwork } = member;
  return nextNetwork === undefined ? presentNetworks(member) : [...presentNetworks(member), nextNetwork];
}

/** The member as its pods in that network show it. */
export function asIn<M extends MaybeMember>(member: M, network: string): M {
  return member.network === network ? member : { ...member, network };
}

function targetsOf({ state }: MaybeMember, counts: (secret: { readonly isRead: boolean }) => boolean) {
  return state?.reachable === true ? state.remoteSecrets.filter(counts).map(({ targetId }) => targetId) : [];
}

/** Undefined where nothing is known of them. */
export function gatewaysOf({ state }: MaybeMember): readonly GatewayState[] | undefined {
  const gateways = state?.reachable === true ? state.gateways : undefined;
  return gateways === undefined || "unread" in gateways ? undefined : gateways;
}

/**
 * The addresses of the gateways of the network that are up. Undefined where they are not all known: istiod
 * resolves host names itself, and of some member nothing was seen.
 */
export function liveAddresses(
  members: readonly MaybeMember[],
  network: string,
): ReadonlySet<string> | undefined {
  const live: string[] = [];
  for (const member of members) {
    const gateways = gatewaysOf(member);
    if (gateways === undefined && presentNetworks(member).includes(network)) return undefined;
    for (const each of gateways ?? [])
      if (each.network === network && isUp(each)) live.push(...each.addresses);
  }
  return live.some(isHostName) ? undefined : new Set(live);
}

/** The network of a target that is not the reader's own, with its live gateways. */
export interface NetworkAfar {
  readonly network: string;
  readonly addresses: ReadonlySet<string> | undefined;
}

/** Answers which network a reader must know a gateway of, to reach a target; undefined: none. */
export function networksAfar(
  members: readonly MaybeMember[],
): (reader: MaybeMember, targetId: string) => NetworkAfar | undefined {
  const networkOf = new Map(members.map(({ clusterId, network }) => [clusterId, network]));
  const live = new Map(
    [...new Set(networkOf.values())].map((network) => [
      network,
      { network, addresses: liveAddresses(members, network) },
    ]),
  );
  return ({ network: own }, targetId) => {
    const awaited = live.get(networkOf.get(targetId) ?? own);
    return awaited?.network === own ? undefined : awaited;
  };
}

/** No IPv4 address has a letter, and every IPv6 address a colon. */
export function isHostName(address: string): boolean {
  return /[a-z]/i.test(address) && !address.includes(":");
}

/** Whether Meshjoin may give it a gateway, if another network can use it. */
export function mayHaveGateway(member: MaybeMember, spec: MeshSpec): boolean {
  return spec.gateways !== "never" && exposureOf(member.cluster, spec) !== "none" && !isForeign(member);
}

function isForeign({ state }: MaybeMember): boolean {
  return state?.reachable === true && state.controlPlane?.owner === "foreign";
}

/** The gateway that the member should have in its network; undefined where it should have none. */
export function wantedGateway(
  member: MaybeMember,
  others: readonly string[],
  spec: MeshSpec,
): WantedGateway | undefined {
  const exposure = exposureOf(member.cluster, spec);
  if (exposure === "none" || !mayHaveGateway(member, spec)) return undefined;
  const { network } = member;
  const isUsed = others.some((other) => other !== network && reaches(other, network, exposure, spec));
  return isUsed || spec.gateways === "always" ? { network, exposure } : undefined;
}

/**
 * How the gateways are exposed that the member should have, or has by a person's hand, or keeps for pods in
 * its former network. Any other of Meshjoin's that is there and not wanted carries the pairs that it has, and
 * no new ones.
 */
export function ownExposures(
  member: MaybeMember,
  others: readonly string[],
  spec: MeshSpec,
): readonly Exposure[] {
  const isFormer = member.network === member.formerNetwork;
  const wanted = isFormer ? undefined : wantedGateway(member, others, spec);
  const kept = (gatewaysOf(member) ?? []).filter(
    ({ network, settings }) => network === member.network && (isFormer || settings === undefined),
  );
  return [wanted ?? [], kept].flat().map(({ exposure }) => exposure);
}

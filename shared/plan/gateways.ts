import { type Finding, finding } from "../core/answers/finding.ts";
import type { Write } from "../core/answers/plan.ts";
import { kubectlOn, typedName } from "../core/cluster/gcloud.ts";
import { count } from "../core/count.ts";
import { presentNetworks } from "../core/member/networks.ts";
import { isReachable, type Member, type ReachableMember } from "../core/member/observation.ts";
import { GATEWAYS, gatewayOptionsName, ISTIO_NAMESPACE } from "../core/names.ts";
import { reaches } from "../core/network/connected.ts";
import { type GatewayState, isUp, MESH_GATEWAY_LABEL } from "../core/network/gateway.ts";
import type { MeshSpec } from "../core/spec.ts";
import type { ApplyGateway, GatewayAction, RemoveGateway, ReplacedAction } from "./action.ts";
import type { PairContext, WantedGateway } from "./context.ts";
import { isAhead } from "./lost.ts";
import { asIn, gatewaysOf, type MaybeMember, wantedGateway } from "./networks.ts";
import { isComplete, isInstalled } from "./standing.ts";

export interface GatewayPlan {
  readonly actions: readonly GatewayAction[];
  /** Of gateways that are there and not up, and of those that carry pairs and should not. */
  readonly findings: readonly Finding[];
  /** Members that can have a gateway now, and should. */
  readonly owners: readonly GatewayOwner[];
  /** Gateways that another one is to replace, once every reader knows that one. */
  readonly replaced: readonly ReplacedGateway[];
}

export interface GatewayOwner {
  readonly member: ReachableMember;
  readonly wanted: WantedGateway;
  /** The name that its Gateway has, or gets. */
  readonly gateway: string;
  readonly present: GatewayState | undefined;
}

export interface ReplacedGateway {
  readonly member: ReachableMember;
  readonly action: ReplacedAction;
  readonly old: GatewayState;
  /** Of the gateway that takes its place. */
  readonly network: string;
  /** The members that read the cluster from other networks. */
  readonly readers: readonly ReachableMember[];
}

/**
 * What is due for the gateways of all members, also of those that the run is not about: a member that joins
 * needs those of its peers. They come after istiod, which makes a gateway of a Gateway.
 */
export function planGateways(context: PairContext): GatewayPlan {
  const own = context.members
    .filter(isReachable)
    .filter((member) => isInstalled(member.state) || context.view === "afterwards")
    .filter((member) => isComplete(member, context));
  return {
    actions: own.flatMap((member) => [...applies(member, context), ...removes(member, context)]),
    findings: own.flatMap((member) => [...notUp(member, context), ...inUse(member, context)]),
    owners: own.flatMap((member) => dueStandings(member, context)),
    replaced: own.flatMap((member) => replacedOf(member, context)),
  };
}

/** Whether a run would give it a gateway, or make another of the one that it has. */
export function isGatewayDue(member: Member, context: PairContext): boolean {
  return isReachable(member) && applies(member, context).length > 0;
}

/** Whether the member should have a gateway in its network. */
export function wantsGateway(member: MaybeMember, { networks, spec }: PairContext): boolean {
  return wantedGateway(member, networks.besides(member), spec) !== undefined;
}

/** Whether requests of other networks get in to its pods in this one; false, too, where nothing is known. */
export function isGatewayUp(member: MaybeMember, network: string): boolean {
  return (gatewaysOf(member) ?? []).some((each) => each.network === network && isUp(each));
}

/**
 * The networks of the member in which no gateway that istiods outside would use for it is up, as is known,
 * while they read it.
 */
export function lostNetworks(member: Member, { networks }: PairContext): readonly string[] {
  if (gatewaysOf(member) === undefined) return [];
  const { clusterId } = member;
  const readers = networks.holdersOf(clusterId).filter((reader) => networks.readBy(reader).has(clusterId));
  return presentNetworks(member).filter((network) => {
    if (isGatewayUp(member, network)) return false;
    const outside = readers.filter((reader) => isOutside(reader, network));
    if (hasAddress(member, network)) return outside.length > 0;
    const up = networks.ownersIn(network).filter((owner) => isGatewayUp(owner, network));
    return outside.some((reader) => {
      const reads = networks.readBy(reader);
      return !up.some((owner) => owner.clusterId === reader.clusterId || reads.has(owner.clusterId));
    });
  });
}

function isOutside(reader: MaybeMember, network: string): boolean {
  return presentNetworks(reader).some((each) => each !== network);
}

/** Gateways with a name that Meshjoin gives; of them those with settings are Meshjoin's for sure. */
function ownGateways(member: MaybeMember): readonly GatewayState[] {
  return (gatewaysOf(member) ?? []).filter(({ gateway }) => GATEWAYS.includes(gateway ?? ""));
}

/** Those that Meshjoin has hidden from istiods: they are not up yet, or are to go. */
function isHiddenNow({ network }: GatewayState): boolean {
  return network === "";
}

/** Those that are Meshjoin's for sure. */
function ourGateways(member: MaybeMember): readonly GatewayState[] {
  return ownGateways(member).filter(({ settings }) => settings !== undefined);
}

/** How a wanted gateway stands. */
interface Standing {
  readonly wanted: WantedGateway;
  /** The one that is as it should be, or that is made so where it stands. */
  readonly present: GatewayState | undefined;
  /** The name of the Gateway that is to be; undefined where every name is taken for now. */
  readonly gateway: string | undefined;
}

/** Of the gateway in the member's network, and of those in the networks that it changes to, and has left. */
function standingsOf(member: MaybeMember, context: PairContext): readonly Standing[] {
  const { network, nextNetwork = network, formerNetwork = network } = member;
  const standings: Standing[] = [];
  for (const each of new Set([network, nextNetwork, formerNetwork])) {
    const given = standings.flatMap(({ gateway }) => gateway ?? []);
    standings.push(...[standingOf(member, each, context, given) ?? []].flat());
  }
  return standings;
}

/**
 * A load balancer cannot change from internal to external without losing its address. So a gateway of another
 * exposure stays until one beside it has taken over. Any other setting changes where it stands. Of a network
 * that the member is about to leave, or has left, the gateway keeps its exposure.
 */
function standingOf(
  member: MaybeMember,
  network: string,
  { spec, networks, settingsOf }: PairContext,
  given: readonly string[],
): Standing | undefined {
  const there = asIn(member, network);
  const stays = network === (member.nextNetwork ?? member.network);
  const by = wantedGateway(there, networks.besides(stays ? there : member), spec);
  if (by === undefined) return undefined;
  const own = ownGateways(member);
  const ofNetwork = own.filter((each) => each.network === network);
  const wanted = { ...by, exposure: (stays ? undefined : ofNetwork[0]?.exposure) ?? by.exposure };
  const fitting = ofNetwork.filter(({ exposure }) => exposure === wanted.exposure);
  const settings = settingsOf(wanted);
  const asWanted = fitting.filter((each) => each.settings === settings);
  const hidden = own.find((each) => isHiddenNow(each) && each.settings === settings);
  const present = asWanted.find(isUp) ?? hidden ?? asWanted[0] ?? fitting[0];
  const taken = new Set([...given, ...own.map(({ gateway }) => gateway)]);
  return { wanted, present, gateway: present?.gateway ?? GATEWAYS.find((name) => !taken.has(name)) };
}

/** Those that a run makes or keeps as they should be. */
function dueStandings(member: ReachableMember, context: PairContext): GatewayOwner[] {
  return standingsOf(member, context).flatMap((standing) => {
    const { wanted, gateway } = standing;
    const isHeld = gateway === undefined || cutOff(member, standing, context).length > 0;
    return isHeld ? [] : [{ member, wanted, gateway, present: standing.present }];
  });
}

function applies(member: ReachableMember, context: PairContext): ApplyGateway[] {
  if (gatewaysOf(member) === undefined && isInstalled(member.state)) return [];
  const { clusterId } = member;
  return dueStandings(member, context).flatMap(({ wanted, gateway, present }): ApplyGateway[] => {
    const mustHide = hasOtherWay(member, wanted, context);
    const isHidden =
      mustHide && (present === undefined || (isHiddenNow(present) && !hasSettled(present, context)));
    const settlingSince = isHidden ? settlingFrom(present, context) : undefined;
    const isAsPlanned =
      present !== undefined &&
      isHiddenNow(present) === isHidden &&
      present.settlingSince?.getTime() === settlingSince?.getTime();
    if (isAsPlanned && present.settings === context.settingsOf(wanted)) return [];
    const verb = present === undefined ? "create" : "update";
    const why = whyDue(member, wanted, present, isHidden);
    const cause = finding("GatewayMissing", why, "nothing: Meshjoin installs it", clusterId);
    const writes = writesOf(verb, clusterId, gateway);
    const shape = { ...wanted, isHidden, ...(settlingSince === undefined ? {} : { settlingSince }) };
    return [{ kind: "applyGateway", verb, clusterId, gateway, ...shape, writes, findings: [cause] }];
  });
}

/**
 * Whether the hidden gateway has been up for long enough that istiods may know it: a load balancer has its
 * address before every packet to it arrives.
 */
function hasSettled(hidden: GatewayState, context: PairContext): boolean {
  return isUp(hidden) && isSettled(hidden, context);
}

/** Whether the note on the hidden gateway is old enough. Without a time to wait no note is needed. */
function isSettled({ settlingSince }: GatewayState, { spec, now }: PairContext): boolean {
  if (spec.gatewaySettle === 0) return true;
  return settlingSince !== undefined && now.getTime() - settlingSince.getTime() >= spec.gatewaySettle * 1000;
}

/** The note that a gateway that stays hidden should have: none before it is up. */
function settlingFrom(present: GatewayState | undefined, { spec, now }: PairContext): Date | undefined {
  if (present === undefined || !isUp(present)) return undefined;
  const { settlingSince } = present;
  return settlingSince === undefined || isAhead(settlingSince, { spec, now }) ? now : settlingSince;
}

/**
 * Whether members read the cluster, and istiods that do so know a gateway of that network. They spread their
 * requests over all that have an address, so one that is not up must not be known to them.
 */
function hasOtherWay(member: Member, { network }: WantedGateway, { networks }: PairContext): boolean {
  const { clusterId } = member;
  return (
    networks.holdersOf(clusterId).some((reader) => networks.readBy(reader).has(clusterId)) &&
    networks.ownersIn(network).some((owner) => hasAddress(owner, network))
  );
}

function whyDue(
  member: Member,
  { network }: WantedGateway,
  present: GatewayState | undefined,
  isHidden: boolean,
): string {
  if (present !== undefined && isHidden && isUp(present))
    return "the new gateway for members of other networks has come up, and istiods may know it after a while";
  if (present !== undefined && isHiddenNow(present) && !isHidden)
    return "the new gateway for members of other networks has been up for a while, and istiods may know it";
  if (present !== undefined) return "the gateway for members of other networks is not as it should be";
  if (network === member.nextNetwork)
    return `the cluster changes to network ${network}, and has no gateway for that yet`;
  if (network !== member.network)
    return `pods of the cluster are still in network ${network}, and it has no gateway for them`;
  return ownGateways(member).some((each) => each.network === network)
    ? "the gateway for members of other networks should have another exposure; a second one takes its place"
    : "the cluster has no gateway for members of other networks";
}

/**
 * Readers that the wanted gateway would cut off: it stands beside the one that they use, which a person may
 * have made, istiods spread requests over both, and it does not lead from their networks.
 */
function cutOff(member: ReachableMember, { wanted, present }: Standing, context: PairContext): Member[] {
  const { network, exposure } = wanted;
  const isKnown = present !== undefined && !isHiddenNow(present);
  if (isKnown || !(gatewaysOf(member) ?? []).some((each) => each.network === network)) return [];
  return readersFromOutside(member, network, context).filter((reader) =>
    presentNetworks(reader).some((from) => !reaches(from, network, exposure, context.spec)),
  );
}

function readersFromOutside(
  { clusterId }: MaybeMember,
  network: string,
  { networks }: PairContext,
): readonly Member[] {
  return networks.holdersOf(clusterId).filter((reader) => isOutside(reader, network));
}

/**
 * Those that lose their way to a member of the network without this member's gateway there: to the member
 * itself, or to one that has no gateway with an address, so that istiods use any that they know.
 */
function readersThatNeedIt(member: ReachableMember, network: string, context: PairContext): Member[] {
  const { networks, spec } = context;
  const owners = networks.ownersIn(network);
  return networks.membersOf(network).flatMap((target) => {
    const isOwn = target.clusterId === member.clusterId;
    if (!isOwn && hasAddress(target, network)) return [];
    return readersFromOutside(target, network, context).filter((reader) => {
      const reads = networks.readBy(reader);
      if (!isOwn && !reads.has(member.clusterId)) return false;
      return !owners.some(
        (other) =>
          other.clusterId !== member.clusterId &&
          reads.has(other.clusterId) &&
          leadsTo(stayingGateways(other, network, context), reader, network, spec),
      );
    });
  });
}

function hasAddress(member: Member, network: string): boolean {
  return (gatewaysOf(member) ?? []).some((each) => each.network === network && each.addresses.length > 0);
}

/** Without those that go, too, and one that only serves until no pod is left in the network. */
function stayingGateways(member: Member, network: string, context: PairContext): readonly GatewayState[] {
  const isWanted =
    network !== member.formerNetwork &&
    standingsOf(member, context).some(({ wanted }) => wanted.network === network);
  return (gatewaysOf(member) ?? []).filter(({ settings }) => isWanted || settings === undefined);
}

/**
 * Whether one of these gateways is up, and each leads there that istiod knows: it spreads requests over all
 * that have an address.
 */
export function leadsTo(
  gateways: readonly GatewayState[] | undefined,
  reader: MaybeMember,
  network: string,
  spec: MeshSpec,
): boolean {
  const known = (gateways ?? []).filter((each) => each.network === network && each.addresses.length > 0);
  return known.some(isUp) && known.every(({ exposure }) => reaches(reader.network, network, exposure, spec));
}

function notUp(member: ReachableMember, context: PairContext): Finding[] {
  const { clusterId, cluster } = member;
  return standingsOf(member, context).flatMap(({ present }) => {
    if (present === undefined || isUp(present)) return [];
    const why =
      present.addresses.length === 0 ? "its load balancer has no address" : "none of its pods is ready";
    return finding(
      "GatewayPending",
      `the gateway of ${clusterId} is not up: ${why}`,
      `nothing, if it is new; otherwise see why: ${kubectlOn(cluster.ref)} -n ${ISTIO_NAMESPACE} describe service ${typedName(present.service)}`,
      clusterId,
    );
  });
}

/** Where the label is to blame, the command that sets it to what there is. */
function keeping(member: ReachableMember, { spec }: PairContext): string {
  const { cluster, clusterId, network } = member;
  const present = ownGateways(member).find((each) => each.network === network);
  const isByLabel = cluster.labels[MESH_GATEWAY_LABEL] !== undefined && spec.gateways !== "never";
  return !isByLabel || present === undefined
    ? ", set MESHJOIN_GATEWAYS and MESHJOIN_GATEWAY_EXPOSURE back"
    : `: meshjoin label ${clusterId} --gateway=${present.exposure}`;
}

/** Gateways of Meshjoin's that the configuration wants no more, or otherwise, and that carry pairs. */
function inUse(member: ReachableMember, context: PairContext): Finding[] {
  const { clusterId, network } = member;
  const standings = standingsOf(member, context);
  const isUnwanted = unwanted(member, context).some((each) => each.network === network);
  const readers = isUnwanted
    ? readersThatNeedIt(member, network, context)
    : standings.flatMap((standing) => cutOff(member, standing, context));
  const [first, ...others] = new Set(readers.map((reader) => reader.clusterId));
  if (first === undefined) return [];
  const who = others.length === 0 ? first : `${first} and ${count(others.length, "other member")}`;
  const isByHand = !ownGateways(member).some((each) => each.network === network);
  if (isByHand && !isUnwanted) {
    return [
      finding(
        "GatewayInUse",
        `${clusterId} has a gateway that a person made, and gets none of Meshjoin's: istiods would send requests of ${who} to either, and one in the VPC does not lead there`,
        `to have Meshjoin's beside it, give that an address on the internet: meshjoin label ${clusterId} --gateway=external; to have none: meshjoin label ${clusterId} --gateway=none`,
        clusterId,
      ),
    ];
  }
  return [
    finding(
      "GatewayInUse",
      isUnwanted
        ? `${clusterId} should have no gateway, and ${who} of other networks need the one that it has; Meshjoin keeps it`
        : `the gateway of ${clusterId} should have another exposure, which ${who} cannot reach; Meshjoin keeps the present one`,
      `to keep the pairs${keeping(member, context)}; to end them, which ends requests between these members: meshjoin sync --confirm GatewayInUse`,
      clusterId,
    ),
  ];
}

/** Gateways of Meshjoin's in networks where the member should have none; of hidden ones, if it has none. */
function unwanted(member: MaybeMember, context: PairContext): readonly GatewayState[] {
  const standings = standingsOf(member, context);
  const wanted = new Set(standings.map((standing) => standing.wanted.network));
  return ourGateways(member).filter((each) =>
    isHiddenNow(each) ? standings.length === 0 : !wanted.has(each.network),
  );
}

/**
 * A gateway of Meshjoin's that is not wanted goes; not before all members were asked and none has a remote
 * secret that needs it. One of the former network stays while pods may run there.
 */
function removes(member: ReachableMember, context: PairContext): RemoveGateway[] {
  const { members, isWholeView } = context;
  if (!isWholeView || !members.every(isReachable)) return [];
  return unwanted(member, context)
    .filter(({ network }) => network !== member.formerNetwork)
    .filter(({ network }) => readersThatNeedIt(member, network, context).length === 0)
    .map(({ gateway = "" }) => {
      const cause = finding(
        "GatewayNotNeeded",
        "no member of another network uses the gateway of the cluster",
        "nothing: Meshjoin removes it",
        member.clusterId,
      );
      return removalOf(member.clusterId, gateway, cause);
    });
}

/**
 * The rest of a change: the gateway that should be is up, and another one stands beside it. That one is
 * hidden first, and stays for a while, so that no proxy sends requests there when it goes.
 */
function replacedOf(member: ReachableMember, context: PairContext): ReplacedGateway[] {
  const { isWholeView, members, settingsOf } = context;
  if (!isWholeView || !members.every(isReachable)) return [];
  const standings = standingsOf(member, context);
  const kept = new Set(standings.map(({ present }) => present));
  return standings.flatMap(({ wanted: { network, exposure }, present }) => {
    const isThere = present !== undefined && isUp(present) && present.network === network;
    if (!isThere || present.settings !== settingsOf({ network, exposure })) return [];
    const readers = readersFromOutside(member, network, context);
    const seen = readers.filter(isReachable);
    if (seen.length < readers.length) return [];
    return ourGateways(member)
      .filter((old) => !kept.has(old) && (old.network === network || isHiddenNow(old)))
      .flatMap((old) => {
        const action = replacement(member, old, present, context);
        return action === undefined ? [] : [{ member, old, network, readers: seen, action }];
      });
  });
}

/** Undefined while it settles. One without a note, or with one of the future, is hidden anew. */
function replacement(
  { clusterId }: Member,
  old: GatewayState,
  present: GatewayState,
  context: PairContext,
): ReplacedAction | undefined {
  const { gateway = "", exposure } = old;
  const cause = finding(
    "GatewayNotNeeded",
    "another gateway of the cluster has taken the place of this one",
    "nothing: Meshjoin removes it",
    clusterId,
  );
  if (isHiddenNow(old)) {
    if (isSettled(old, context)) return removalOf(clusterId, gateway, cause);
    if (old.settlingSince !== undefined && !isAhead(old.settlingSince, context)) return undefined;
  }
  const [options] = writesOf("update", clusterId, gateway);
  const writes = [options ?? []].flat();
  const instead = present.gateway ?? "";
  return {
    kind: "hideGateway",
    verb: "update",
    clusterId,
    gateway,
    exposure,
    instead,
    writes,
    findings: [cause],
  };
}

export function removalsOfGateways(member: ReachableMember, cause: Finding): RemoveGateway[] {
  return ourGateways(member).map(({ gateway = "" }) => removalOf(member.clusterId, gateway, cause));
}

function removalOf(clusterId: string, gateway: string, cause: Finding): RemoveGateway {
  return {
    kind: "removeGateway",
    verb: "delete",
    clusterId,
    gateway,
    writes: writesOf("delete", clusterId, gateway),
    findings: [cause],
  };
}

function writesOf(verb: Write["verb"], clusterId: string, gateway: string): Write[] {
  return [
    { kind: "ConfigMap", name: gatewayOptionsName(gateway) },
    { kind: "Gateway", name: gateway },
  ].map((object) => ({ verb, clusterId, object: { ...object, namespace: ISTIO_NAMESPACE } }));
}

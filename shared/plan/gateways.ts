import { type Finding, finding } from "../core/answers/finding.ts";
import type { Write } from "../core/answers/plan.ts";
import { kubectlOn } from "../core/cluster/gcloud.ts";
import { count } from "../core/count.ts";
import { isReachable, type Member, type ReachableMember } from "../core/member/observation.ts";
import { GATEWAYS, gatewayOptionsName, ISTIO_NAMESPACE } from "../core/names.ts";
import { reaches } from "../core/network/connected.ts";
import { type GatewayState, isUp } from "../core/network/gateway.ts";
import type { MeshSpec } from "../core/spec.ts";
import type { ApplyGateway, GatewayAction, RemoveGateway } from "./action.ts";
import type { PairContext, WantedGateway } from "./context.ts";
import { isComplete } from "./member.ts";
import { gatewaysOf, type MaybeMember, wantedGateway } from "./networks.ts";
import { isInstalled } from "./steps.ts";

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
}

export interface ReplacedGateway {
  readonly member: ReachableMember;
  readonly removal: RemoveGateway;
  readonly old: GatewayState;
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
    owners: own.flatMap((member) => ownersOf(member, context)),
    replaced: own.flatMap((member) => replacedOf(member, context)),
  };
}

/** Whether a run would give it a gateway, or make another of the one that it has. */
export function isGatewayDue(member: Member, context: PairContext): boolean {
  return isReachable(member) && applies(member, context).length > 0;
}

/** Whether requests of other networks get in; false, too, where nothing is known. */
export function isGatewayUp(member: Member): boolean {
  return (gatewaysOf(member) ?? []).some((each) => each.network === member.network && isUp(each));
}

/** Whether it is known that its gateways are not up, while a member of another network reads it. */
export function isGatewayLost(member: Member, { networks }: PairContext): boolean {
  if (gatewaysOf(member) === undefined || isGatewayUp(member)) return false;
  return networks
    .holdersOf(member.clusterId)
    .some((reader) => reader.network !== member.network && networks.readBy(reader).has(member.clusterId));
}

/** Gateways with a name that Meshjoin gives; of them those with settings are Meshjoin's for sure. */
function ownGateways(member: MaybeMember): readonly GatewayState[] {
  return (gatewaysOf(member) ?? []).filter(({ gateway }) => GATEWAYS.includes(gateway ?? ""));
}

/** How a wanted gateway stands. */
interface Standing {
  readonly wanted: WantedGateway;
  /** The one that is as it should be, or that is made so where it stands. */
  readonly present: GatewayState | undefined;
  /** The name of the Gateway that is to be; undefined where every name is taken for now. */
  readonly gateway: string | undefined;
}

/**
 * A load balancer cannot change from internal to external without losing its address. So a gateway of another
 * exposure stays until one beside it has taken over. Any other setting changes where it stands.
 */
function standingOf(member: MaybeMember, { spec, networks, settingsOf }: PairContext): Standing | undefined {
  const wanted = wantedGateway(member, networks.names, spec);
  if (wanted === undefined) return undefined;
  const own = ownGateways(member);
  const fitting = own.filter(
    ({ network, exposure }) => network === wanted.network && exposure === wanted.exposure,
  );
  const settings = settingsOf(wanted);
  const asWanted = fitting.filter((each) => each.settings === settings);
  const present = asWanted.find(isUp) ?? asWanted[0] ?? fitting[0];
  const taken = new Set(own.map(({ gateway }) => gateway));
  return { wanted, present, gateway: present?.gateway ?? GATEWAYS.find((name) => !taken.has(name)) };
}

function ownersOf(member: ReachableMember, context: PairContext): GatewayOwner[] {
  const standing = standingOf(member, context);
  if (standing?.gateway === undefined || cutOff(member, context).length > 0) return [];
  const { wanted, gateway } = standing;
  return [{ member, wanted, gateway }];
}

function applies(member: ReachableMember, context: PairContext): ApplyGateway[] {
  if (gatewaysOf(member) === undefined && isInstalled(member.state)) return [];
  const standing = standingOf(member, context);
  if (standing?.gateway === undefined || cutOff(member, context).length > 0) return [];
  const { wanted, present, gateway } = standing;
  if (present?.settings === context.settingsOf(wanted)) return [];
  const { clusterId } = member;
  const verb = present === undefined ? "create" : "update";
  const cause = finding(
    "GatewayMissing",
    whyDue(member, present),
    "nothing: Meshjoin installs it",
    clusterId,
  );
  const writes = writesOf(verb, clusterId, gateway);
  return [{ kind: "applyGateway", verb, clusterId, gateway, ...wanted, writes, findings: [cause] }];
}

function whyDue(member: ReachableMember, present: GatewayState | undefined): string {
  if (present !== undefined) return "the gateway for members of other networks is not as it should be";
  return ownGateways(member).some(({ network }) => network === member.network)
    ? "the gateway for members of other networks should have another exposure; a second one takes its place"
    : "the cluster has no gateway for members of other networks";
}

/**
 * Readers that the wanted gateway would cut off: it stands beside the one that they use, istiods spread
 * requests over both, and it does not lead from their networks.
 */
function cutOff(member: ReachableMember, context: PairContext): Member[] {
  const standing = standingOf(member, context);
  if (standing === undefined || standing.present !== undefined) return [];
  const { network, exposure } = standing.wanted;
  if (!ownGateways(member).some((each) => each.network === network)) return [];
  return readersFromAfar(member, context).filter(
    (reader) => !reaches(reader.network, network, exposure, context.spec),
  );
}

function readersFromAfar({ clusterId, network }: Member, { networks }: PairContext): readonly Member[] {
  return networks.holdersOf(clusterId).filter((reader) => reader.network !== network);
}

/** Those without another member of its network that they read, too, and whose gateway leads there. */
function readersThatNeedIt(member: ReachableMember, context: PairContext): Member[] {
  const { networks, spec } = context;
  const { clusterId, network } = member;
  const others = networks.membersOf(network).filter((other) => other.clusterId !== clusterId);
  return readersFromAfar(member, context).filter(
    (reader) =>
      !others.some(
        (other) =>
          networks.readBy(reader).has(other.clusterId) &&
          leadsTo(stayingGateways(other, context), reader, network, spec),
      ),
  );
}

/** Without those that go, too. */
function stayingGateways(member: Member, context: PairContext): readonly GatewayState[] {
  const isWanted = standingOf(member, context) !== undefined;
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
  const standing = standingOf(member, context);
  const present = standing?.present;
  if (present === undefined || isUp(present)) return [];
  const { clusterId, cluster } = member;
  const why =
    present.addresses.length === 0 ? "its load balancer has no address" : "none of its pods is ready";
  return [
    finding(
      "GatewayPending",
      `the gateway of ${clusterId} is not up: ${why}`,
      `nothing, if it is new; otherwise see why: ${kubectlOn(cluster.ref)} -n ${ISTIO_NAMESPACE} describe service ${present.service}`,
      clusterId,
    ),
  ];
}

/** Gateways of Meshjoin's that the configuration wants no more, or otherwise, and that carry pairs. */
function inUse(member: ReachableMember, context: PairContext): Finding[] {
  const isUnwanted = standingOf(member, context) === undefined && ourGateways(member).length > 0;
  const readers = isUnwanted ? readersThatNeedIt(member, context) : cutOff(member, context);
  const [first] = readers;
  if (first === undefined) return [];
  const { clusterId } = member;
  const more = readers.length === 1 ? "" : ` and ${count(readers.length - 1, "other member")}`;
  return [
    finding(
      "GatewayInUse",
      isUnwanted
        ? `${clusterId} should have no gateway, and ${first.clusterId}${more} of other networks read it through the one that it has; Meshjoin keeps it`
        : `the gateway of ${clusterId} should have another exposure, which ${first.clusterId}${more} cannot reach; Meshjoin keeps the present one`,
      `to keep the pairs, set label mesh_gateway or MESHJOIN_GATEWAYS back; to end them, which ends requests between these members: meshjoin sync --confirm GatewayInUse`,
      clusterId,
    ),
  ];
}

/**
 * A gateway of Meshjoin's that is not wanted goes; not before all members were asked and none has a remote
 * secret that needs it.
 */
function removes(member: ReachableMember, context: PairContext): RemoveGateway[] {
  const { members, isWholeView } = context;
  if (standingOf(member, context) !== undefined) return [];
  if (!isWholeView || !members.every(isReachable)) return [];
  if (readersThatNeedIt(member, context).length > 0) return [];
  const cause = finding(
    "GatewayNotNeeded",
    "no member of another network uses the gateway of the cluster",
    "nothing: Meshjoin removes it",
    member.clusterId,
  );
  return removalsOfGateways(member, cause);
}

/** The rest of a change: the gateway that should be is up, and another of the network stands beside it. */
function replacedOf(member: ReachableMember, context: PairContext): ReplacedGateway[] {
  const { isWholeView, members, settingsOf } = context;
  const standing = standingOf(member, context);
  const present = standing?.present;
  if (standing === undefined || present === undefined || !isUp(present)) return [];
  if (present.settings !== settingsOf(standing.wanted)) return [];
  const readers = readersFromAfar(member, context);
  const seen = members
    .filter(isReachable)
    .filter(({ clusterId }) => readers.some((each) => each.clusterId === clusterId));
  if (!isWholeView || !members.every(isReachable) || seen.length < readers.length) return [];
  return ourGateways(member)
    .filter((old) => old !== present && old.network === present.network)
    .map((old) => {
      const cause = finding(
        "GatewayNotNeeded",
        "another gateway of the cluster has taken the place of this one",
        "nothing: Meshjoin removes it",
        member.clusterId,
      );
      return { member, old, readers: seen, removal: removalOf(member.clusterId, old.gateway ?? "", cause) };
    });
}

/** Those that are Meshjoin's for sure. */
function ourGateways(member: MaybeMember): readonly GatewayState[] {
  return ownGateways(member).filter(({ settings }) => settings !== undefined);
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

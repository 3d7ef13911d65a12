import { faultFinding } from "../core/answers/error-finding.ts";
import { type Finding, finding } from "../core/answers/finding.ts";
import { kubectlOn, typedName } from "../core/cluster/gcloud.ts";
import { presentNetworks } from "../core/member/networks.ts";
import { isReachable, type Member, type NamedCluster } from "../core/member/observation.ts";
import { outOfReach } from "../core/member/reach.ts";
import { ISTIO_NAMESPACE, NETWORK_LABEL } from "../core/names.ts";
import { declaring, groupOfBoth, reaches } from "../core/network/connected.ts";
import { type Exposure, isUp, MESH_GATEWAY_LABEL } from "../core/network/gateway.ts";
import type { MeshSpec } from "../core/spec.ts";
import type { PairContext } from "./context.ts";
import { isGatewayDue, leadsTo } from "./gateways.ts";
import {
  asIn,
  gatewaysOf,
  type MaybeMember,
  mayHaveGateway,
  type Networks,
  ownExposures,
} from "./networks.ts";
import { isComplete } from "./standing.ts";

/**
 * How requests of one member's pods reach those of another: in their one network (`direct`), through a
 * gateway of the target's network, not yet (`pending`), or not at all (`none`): then the two are no pair.
 */
export type Route =
  | { readonly kind: "direct" }
  | { readonly kind: "gateway" }
  | {
      readonly kind: "pending" | "none";
      readonly finding: Finding;
      /** Of the target's pods that it would lead to. */
      readonly network?: string;
      /** All gateways were asked, and none is up: a remote secret makes istiod hand out raw pod addresses. */
      readonly isClosed?: boolean;
      /** A gateway leads there that should not be there any more: the pair that there is goes on. */
      readonly isCarried?: boolean;
    };

const DIRECT: Route = { kind: "direct" };
const GATEWAY_ROUTE: Route = { kind: "gateway" };

/**
 * Whether the reader may have a remote secret for the target: a way for requests, and both halves finished.
 */
export function routeBetween(reader: Member, target: Member, context: PairContext): Route {
  const route = networkRoute(reader, target, context);
  if (route.kind === "none" || route.kind === "pending") return route;
  const waiting = notComplete(reader, context) ?? notComplete(target, context);
  return waiting === undefined ? route : { kind: "pending", finding: waiting };
}

/**
 * The way for requests alone: of a member that changes its network, the worst of those for its pods in either
 * network.
 */
export function networkRoute(reader: Member, target: Member, context: PairContext): Route {
  if (reader.formerNetwork === undefined && target.formerNetwork === undefined)
    return routeOfPods(reader, target, context);
  const [route] = presentNetworks(reader)
    .flatMap((from) =>
      presentNetworks(target).map((to) => routeOfPods(asIn(reader, from), asIn(target, to), context)),
    )
    .toSorted((a, b) => rankOf(a) - rankOf(b));
  return route ?? DIRECT;
}

const KINDS = ["none", "pending", "gateway", "direct"] as const;

/** Lower is worse; of two that wait, the one that is closed. */
function rankOf(route: Route): number {
  const closed = "isClosed" in route && route.isClosed ? 1 : 0;
  return 2 * KINDS.indexOf(route.kind) - closed;
}

function routeOfPods(reader: Member, target: Member, context: PairContext): Route {
  if (reader.network === target.network) return reachesDirectly(reader, target);
  const wanted = possibleRoute(reader, target, context);
  if (wanted.kind === "none") {
    const isCarried = gatewayRoute(reader, target, context).kind === "gateway";
    const { network } = target;
    return { ...wanted, network, isClosed: isClosed(reader, target, context), isCarried };
  }
  return gatewayRoute(reader, target, context);
}

/** Pods of VPC-native clusters reach each other within their network. */
function reachesDirectly(reader: NamedCluster, target: NamedCluster): Route {
  const routesBased = [reader, target].find(({ cluster }) => !cluster.vpcNative);
  if (routesBased === undefined) return DIRECT;
  return notShared(
    `${routesBased.clusterId} has no VPC-native pods, so ${reader.clusterId} cannot reach pods of ${target.clusterId}`,
    `recreate it as a VPC-native cluster; or give it a network of its own, which is reached through a gateway: meshjoin label ${routesBased.clusterId} --network=${routesBased.cluster.ref.name}`,
    reader,
  );
}

/** Whether the configuration and the labels let a gateway lead from one network to the other. */
export function possibleRoute(
  reader: MaybeMember,
  target: MaybeMember,
  { spec, networks }: { readonly spec: MeshSpec; readonly networks: Networks },
): Route {
  if (reader.network === target.network) return reachesDirectly(reader, target);
  const between = `${reader.clusterId} is in network ${reader.network} and ${target.clusterId} in ${target.network}`;
  if (spec.gateways === "never") {
    return notShared(
      `${between}, and MESHJOIN_GATEWAYS is never`,
      "let Meshjoin install gateways: MESHJOIN_GATEWAYS=auto",
      reader,
    );
  }
  const own = ownExposures(target, networks.besides(target), spec);
  const used = own.length > 0 ? own : networks.exposuresIn(target.network);
  const leads = (exposure: Exposure) => reaches(reader.network, target.network, exposure, spec);
  if (used.some(leads)) return GATEWAY_ROUTE;
  const neighbours = networks.membersOf(target.network);
  if (used.length > 0 || neighbours.some((member) => mayHaveGateway(member, spec)))
    return { kind: "none", finding: notConnected(between, reader, target, spec) };
  return notShared(
    `${between}, and no member of ${target.network} may have a gateway of Meshjoin's`,
    `Meshjoin gives none to a control plane that is not its own, nor where label ${MESH_GATEWAY_LABEL} is none: change that for a member of ${target.network}`,
    reader,
  );
}

function notConnected(between: string, reader: MaybeMember, target: MaybeMember, spec: MeshSpec): Finding {
  const pair = [reader.network, target.network] as const;
  const group = groupOfBoth(pair, spec);
  const they = group.length === 2 ? "they do" : `all of ${group.join(", ")} reach each other`;
  return finding(
    "NetworksNotConnected",
    `${between}; gateways of ${target.network} are internal, and no configuration says that the two networks reach each other`,
    `if ${they}, by peering, VPN or Interconnect: MESHJOIN_CONNECTED_NETWORKS=${declaring(pair, spec)}; ` +
      `or give the gateway an address on the internet: meshjoin label ${target.clusterId} --gateway=external`,
    reader.clusterId,
  );
}

/**
 * istiod of the reader finds gateways in the clusters that it reads: that of the target itself, or of another
 * member of the target's network that the reader is paired with already.
 */
function gatewayRoute(reader: Member, target: Member, context: PairContext): Route {
  const unreachable = outOfReach(target) ?? outOfReach(reader);
  if (unreachable !== undefined) return { kind: "pending", finding: unreachable };
  const owners = ownersFor(reader, target, context);
  if (owners.some((owner) => leadsTo(gatewaysOf(owner), reader, target.network, context.spec)))
    return GATEWAY_ROUTE;
  if (context.view === "afterwards" && owners.some((owner) => isGatewayDue(owner, context)))
    return GATEWAY_ROUTE;
  const unread = owners.flatMap((owner) => whyUnread(owner) ?? []);
  const [because] = unread;
  if (because !== undefined) return { kind: "pending", finding: because };
  return {
    kind: "pending",
    finding: astray(reader, target, owners, context) ?? gatewayPending(reader, target),
    network: target.network,
    isClosed: isClosed(reader, target, context),
  };
}

/**
 * The members whose gateways istiod of the reader would use. Those of the target's own cluster come first,
 * whether they serve or not. Where none has an address, it uses those of the network that it knows, in its
 * own cluster and by its remote secrets; Istio `pilot/pkg/xds/endpoints/ep_filters.go`. Of a drained member
 * the reader is to have none.
 */
function ownersFor(reader: Member, target: Member, { networks, drains }: PairContext): Member[] {
  if (hasAddressIn(target, target.network) || whyUnread(target) !== undefined) return [target];
  const read = networks.readBy(reader);
  return networks
    .ownersIn(target.network)
    .filter(({ clusterId: id }) => id === target.clusterId || id === reader.clusterId || read.has(id))
    .filter(({ clusterId: id }) => id === reader.clusterId || !drains.isDrained(id));
}

/** Whether istiod of the reader, asked about the target, knows of no gateway for sure. */
function isClosed(reader: Member, target: Member, context: PairContext): boolean {
  if (outOfReach(target) !== undefined || outOfReach(reader) !== undefined) return false;
  if (!hasAddressIn(target, target.network) && readsUnseen(reader, context)) return false;
  return ownersFor(reader, target, context).every((owner) => {
    const gateways = gatewaysOf(owner);
    return gateways !== undefined && !gateways.some((each) => each.network === target.network && isUp(each));
  });
}

function hasAddressIn(member: Member, network: string): boolean {
  return (gatewaysOf(member) ?? []).some((each) => each.network === network && each.addresses.length > 0);
}

/**
 * A source that does not answer, or that is configured no more, leaves clusters out that the reader goes on
 * reading. Their gateways may be what leads to the target.
 */
function readsUnseen({ state }: Member, { isKnown }: PairContext): boolean {
  if (!state.reachable) return false;
  return state.remoteSecrets.some(
    ({ owner, isRead, targetId }) => owner === "ours" && isRead && !isKnown(targetId),
  );
}

/** Why nothing is known of a member's gateways; undefined if they are known. */
function whyUnread(owner: Member): Finding | undefined {
  if (!isReachable(owner)) return outOfReach(owner);
  const { gateways } = owner.state;
  if (gateways !== undefined && "unread" in gateways) return faultFinding(gateways.unread, owner.clusterId);
  return undefined;
}

/** Where one is up, but istiods would send requests through another one as well that does not lead there. */
function astray(
  reader: Member,
  target: Member,
  owners: readonly Member[],
  { spec }: PairContext,
): Finding | undefined {
  const { network } = target;
  const known = owners.flatMap((owner) =>
    (gatewaysOf(owner) ?? [])
      .filter((each) => each.network === network && each.addresses.length > 0)
      .map((each) => ({ owner, ...each })),
  );
  const other = known.find(({ exposure }) => !reaches(reader.network, network, exposure, spec));
  if (other === undefined || !known.some(isUp)) return undefined;
  const { owner, service, settings } = other;
  const pair = [reader.network, network] as const;
  return finding(
    "GatewayPending",
    `istiod of ${reader.clusterId} would send requests for ${target.clusterId} through Service ${service} of ${owner.clusterId}, too, which is internal and which network ${reader.network} is not said to reach`,
    settings === undefined
      ? `take the network's label off that Service: ${kubectlOn(owner.cluster.ref)} -n ${ISTIO_NAMESPACE} label service ${typedName(service)} ${NETWORK_LABEL}-; or, if the networks are connected: MESHJOIN_CONNECTED_NETWORKS=${declaring(pair, spec)}`
      : "nothing, if its exposure was changed: Meshjoin takes the earlier gateway away when another one is known",
    target.clusterId,
  );
}

function gatewayPending({ clusterId }: Member, target: Member): Finding {
  return finding(
    "GatewayPending",
    `no gateway of network ${target.network} is up, so ${clusterId} gets no remote secret of ${target.clusterId} yet`,
    `nothing, while its load balancer gets an address; if it lasts: ${whatToSee(target, target.network)}`,
    target.clusterId,
  );
}

/** A command that shows why a member's gateway is not up. */
export function whatToSee(member: Member, network: string): string {
  const own = gatewaysOf(member)?.find((each) => each.network === network);
  if (own === undefined) return "meshjoin status -o wide";
  const what =
    own.gateway === undefined
      ? `service ${typedName(own.service)}`
      : `gateways.gateway.networking.k8s.io ${typedName(own.gateway)}`;
  return `${kubectlOn(member.cluster.ref)} -n ${ISTIO_NAMESPACE} describe ${what}`;
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

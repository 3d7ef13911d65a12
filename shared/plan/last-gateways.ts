import { finding } from "../core/answers/finding.ts";
import type { Write } from "../core/answers/plan.ts";
import { presentNetworks } from "../core/member/networks.ts";
import {
  isReachable,
  type Member,
  type ReachableMember,
  type RemoteSecretState,
} from "../core/member/observation.ts";
import { ISTIO_NAMESPACE, lastGatewayName, remoteSecretName } from "../core/names.ts";
import { isUp } from "../core/network/gateway.ts";
import { formatLastGateway, type LastGateway } from "../core/network/last-gateway.ts";
import { type LastGatewayAction, secretName } from "./action.ts";
import type { PairContext } from "./context.ts";
import { wantsGateway } from "./gateways.ts";
import { gatewaysOf, isHostName } from "./networks.ts";
import { networkRoute } from "./route.ts";
import { isComplete, isInstalled } from "./standing.ts";

export interface LastGatewayPlan {
  readonly actions: readonly LastGatewayAction[];
  /** Those that are there, as they should be. */
  readonly kept: readonly KeptGateway[];
  /** Of pairs across networks, where none should be, and none is on record. */
  readonly unwanted: readonly { readonly reader: ReachableMember; readonly target: string }[];
}

export interface KeptGateway {
  readonly reader: ReachableMember;
  readonly target: string;
  readonly remoteSecret: RemoteSecretState;
  readonly last: LastGateway;
}

/**
 * The last known addresses of gateways that each reader should hold, by what its remote secrets note of them.
 * `isWritten`: whether the reader's remote secret for the target is written anew, which drops the note.
 */
export function planLastGateways(
  context: PairContext,
  isWritten: (reader: string, target: string) => boolean = () => false,
): LastGatewayPlan {
  const parts = context.members
    .filter(isReachable)
    .filter((reader) => isInstalled(reader.state) && isComplete(reader, context))
    .flatMap((reader) => planReader(reader, context, isWritten));
  return {
    actions: parts.flatMap(({ action }) => action ?? []),
    kept: parts.flatMap(({ kept }) => kept ?? []),
    unwanted: parts.flatMap(({ unwanted }) => unwanted ?? []),
  };
}

interface Part {
  readonly action?: LastGatewayAction;
  readonly kept?: KeptGateway;
  readonly unwanted?: LastGatewayPlan["unwanted"][number];
}

function planReader(
  reader: ReachableMember,
  context: PairContext,
  isWritten: (reader: string, target: string) => boolean,
): Part[] {
  const own = new Map(
    reader.state.remoteSecrets
      .filter(({ owner, isRead, name, targetId }) => owner === "ours" && isRead && isNamed(name, targetId))
      .map((secret) => [secret.targetId, secret]),
  );
  return context.members.flatMap((target): Part[] => {
    const { clusterId: id } = target;
    const remoteSecret = own.get(id);
    const isFresh = isWritten(reader.clusterId, id);
    const isNear = target.network === reader.network && remoteSecret?.lastGateway === undefined;
    if (target === reader || isNear || (remoteSecret === undefined && !isFresh)) return [];
    const noted = isFresh ? undefined : remoteSecret?.lastGateway;
    const last = lastGatewayFor(reader, target, context);
    if (last === "asItIs") return [];
    if (last === "none") {
      if (noted !== undefined) return [{ action: dropOf(reader, id) }];
      return isFresh ? [] : [{ unwanted: { reader, target: id } }];
    }
    if (noted !== formatLastGateway(last, remoteSecret?.uid ?? ""))
      return [{ action: keepOf(reader, target, last, remoteSecret?.lastGateway !== undefined) }];
    return remoteSecret === undefined ? [] : [{ kept: { reader, target: id, remoteSecret, last } }];
  });
}

function isNamed(name: string, targetId: string): boolean {
  return name === remoteSecretName(targetId);
}

/**
 * istiod takes the addresses for gateways of the whole network, and for gateways of the reader's cluster. It
 * spreads requests over all gateways of a network where the target's own cluster has none. So there may be no
 * other gateway of the network that the reader could know, now or soon. `asItIs`: nothing is to change while
 * the target's gateway is not up, or is not known.
 */
function lastGatewayFor(
  reader: ReachableMember,
  target: Member,
  context: PairContext,
): LastGateway | "none" | "asItIs" {
  const { network } = target;
  const isChanging = target.formerNetwork !== undefined || target.nextNetwork !== undefined;
  if (isChanging || isIn(reader, network) || isShared(reader, target, context)) return "none";
  if (!wantsGateway(reader, context)) return context.isWholeView ? "none" : "asItIs";
  const gateways = gatewaysOf(target);
  if (gateways === undefined || !hasGatewayApi(reader)) return "asItIs";
  const [gateway, another] = gateways;
  if (another !== undefined || gateway?.addresses.some(isHostName) === true) return "none";
  if (gateway === undefined) return "asItIs";
  // Of one that a person has made the port is not known.
  if (gateway.settings === undefined) return "none";
  const isLive = gateway.network === network && isUp(gateway);
  if (!isLive || networkRoute(reader, target, context).kind !== "gateway") return "asItIs";
  return { network, addresses: gateway.addresses };
}

function isIn(member: Member, network: string): boolean {
  return presentNetworks(member).includes(network) || member.nextNetwork === network;
}

/**
 * Whether the network has another member or gateway; also one of which only the reader's remote secrets tell.
 */
function isShared(reader: ReachableMember, target: Member, { members, networks }: PairContext): boolean {
  const { network, clusterId: id } = target;
  const known = new Set(members.map((member) => member.clusterId));
  return (
    [...members, ...networks.ownersIn(network)].some(
      (each) => each.clusterId !== id && (isIn(each, network) || hasGatewayIn(each, network)),
    ) ||
    reader.state.remoteSecrets.some(
      ({ targetId, targetNetwork = network }) => !known.has(targetId) && targetNetwork === network,
    )
  );
}

function hasGatewayIn(member: Member, network: string): boolean {
  return gatewaysOf(member)?.some((gateway) => gateway.network === network) ?? false;
}

/** A Service that istiod has made for a Gateway shows that the cluster has the kind. */
function hasGatewayApi(reader: ReachableMember): boolean {
  return gatewaysOf(reader)?.some(({ gateway }) => gateway !== undefined) ?? false;
}

function keepOf(
  { clusterId }: ReachableMember,
  target: Member,
  last: LastGateway,
  isThere: boolean,
): LastGatewayAction {
  const cause = finding(
    "LastGatewayOutdated",
    `${clusterId} does not hold the present address of the gateway of ${target.clusterId}`,
    "nothing: Meshjoin writes it",
    clusterId,
  );
  const verb = isThere ? "update" : "create";
  const writes = writesOf(verb, clusterId, target.clusterId);
  return {
    kind: "keepLastGateway",
    verb,
    clusterId,
    target: target.clusterId,
    last,
    writes,
    findings: [cause],
  };
}

function dropOf({ clusterId }: ReachableMember, target: string): LastGatewayAction {
  const cause = finding(
    "LastGatewayOutdated",
    `${clusterId} holds an address of a gateway of ${target}, beside which others are, or are to come`,
    "nothing: Meshjoin takes it away",
    clusterId,
  );
  const writes = writesOf("delete", clusterId, target);
  return { kind: "dropLastGateway", verb: "delete", clusterId, target, writes, findings: [cause] };
}

/** The Gateway, and the note of it on the remote secret. */
function writesOf(verb: Write["verb"], clusterId: string, target: string): Write[] {
  const gateway = { kind: "Gateway", name: lastGatewayName(target), namespace: ISTIO_NAMESPACE };
  return [
    { verb, clusterId, object: gateway },
    { verb: "update", clusterId, object: secretName(remoteSecretName(target)) },
  ];
}

import { type Finding, finding } from "../core/answers/finding.ts";
import { kubectlOn } from "../core/cluster/gcloud.ts";
import { count } from "../core/count.ts";
import { presentNetworks } from "../core/member/networks.ts";
import { isReachable, type Member, type ReachableMember } from "../core/member/observation.ts";
import { outOfReach } from "../core/member/reach.ts";
import { restartOf } from "../core/member/workloads.ts";
import { ISTIO_NAMESPACE, networkName } from "../core/names.ts";
import { isNetworkDeclared, MESH_NETWORK_LABEL, networkOf } from "../core/network/network.ts";
import type { MeshSpec } from "../core/spec.ts";
import type { LabelNamespace } from "./action.ts";
import type { MemberContext, PairContext } from "./context.ts";
import { isGatewayUp, wantsGateway } from "./gateways.ts";
import { asIn, indexNetworks } from "./networks.ts";
import { networkRoute, possibleRoute } from "./route.ts";
import { isComplete, isGuest, isInstalled } from "./standing.ts";

/**
 * A member changes its network in this order, each step in a run of its own or in one, by what is on record:
 *
 *     a person confirms            note `next-network` on the namespace
 *     gateways for the new network of the member itself, and of those that it will be apart from
 *     every pair has a way         the namespace's label; notes `former-network`, `network`
 *     istiod                       its roll-out, as for any changed manifest
 *     pods start anew              a person restarts the workloads
 *     no pod is left there         the notes go, then the gateway of the former network
 */
export type ChangeNotes = Pick<LabelNamespace, "formerNetwork" | "nextNetwork">;

/** What the namespace should have on record of a change. */
export function changeNotes(member: ReachableMember, context: MemberContext): ChangeNotes {
  const { formerNetwork, nextNetwork, cluster, network } = member;
  const wanted = networkOf(cluster);
  const mayBegin =
    isInstalled(member.state) &&
    wanted !== network &&
    context.only === undefined &&
    context.confirm.includes("NetworkChanges");
  const begins = mayBegin && whyRefused(member, context) === undefined;
  return {
    formerNetwork,
    nextNetwork: nextNetwork ?? (begins ? wanted : undefined),
  };
}

/** The member as it is once its namespace has the label of the other network. */
function changed<M extends Member>(member: M, network: string): M {
  return { ...member, network, formerNetwork: member.network, nextNetwork: undefined };
}

function reads(reader: Member, target: Member): boolean {
  if (!isReachable(reader)) {
    return (
      isReachable(target) &&
      target.state.readerSecrets.some(
        ({ owner, readerId }) => owner === "ours" && readerId === reader.clusterId,
      )
    );
  }
  return reader.state.remoteSecrets.some(({ isRead, targetId }) => isRead && targetId === target.clusterId);
}

/** Pairs of the member that there are, both ways, as they are after the change. */
function pairsAfter(
  member: ReachableMember,
  network: string,
  { members, spec }: { readonly members: readonly Member[]; readonly spec: MeshSpec },
) {
  const after = changed(member, network);
  const all = members.map((each) => (each.clusterId === member.clusterId ? after : each));
  const others = all.filter((each) => each !== after);
  return {
    after,
    all,
    networks: indexNetworks(all, spec),
    readers: others.filter((each) => reads(each, after)),
    targets: others.filter((each) => reads(after, each)),
  };
}

/** Why the configuration and the labels do not let the member change: it would lose pairs that it has. */
function whyRefused(
  member: ReachableMember,
  context: Pick<MemberContext, "members" | "spec">,
): Finding | undefined {
  const { cluster, clusterId, formerNetwork } = member;
  const wanted = networkOf(cluster);
  if (MESH_NETWORK_LABEL in cluster.labels && !isNetworkDeclared(cluster))
    return finding(
      "NetworkLabelInvalid",
      "the label has another value",
      "set one that Meshjoin takes",
      clusterId,
    );
  if (formerNetwork !== undefined && formerNetwork !== wanted) {
    const message = `its change from network ${formerNetwork} is not over`;
    return finding("NetworkChanges", message, "restart the workloads of the other finding first", clusterId);
  }
  const { after, networks, readers, targets } = pairsAfter(member, wanted, context);
  const { spec } = context;
  const routes = [
    ...readers.map((reader) => [reader, asIn(after, wanted)] as const),
    ...targets.map((target) => [after, target] as const),
  ].flatMap(([reader, target]) =>
    (reader === after ? [wanted] : presentNetworks(reader)).flatMap((from) =>
      (target === after ? [wanted] : presentNetworks(target)).map((to) =>
        possibleRoute(asIn(reader, from), asIn(target, to), { spec, networks }),
      ),
    ),
  );
  const none = routes.find(({ kind }) => kind === "none");
  return none !== undefined && "finding" in none ? none.finding : undefined;
}

/** What a label that names another network has come to. */
export function networkChange(member: ReachableMember, context: MemberContext): Finding | undefined {
  const { cluster, clusterId, network, state } = member;
  const wanted = networkOf(cluster);
  if (wanted === network) return undefined;
  const names = `${isNetworkDeclared(cluster) ? `label ${MESH_NETWORK_LABEL} names` : "the VPC is"} ${wanted}`;
  const back = `to stay, set the label back: meshjoin label ${clusterId} ${network === networkName(cluster.network) ? "--no-network" : `--network=${network}`}`;
  const found = (message: string, cure: string) => finding("NetworkChanges", message, cure, clusterId);
  if (member.nextNetwork !== undefined)
    return found(
      `the cluster is about to change from network ${network} to ${wanted}; gateways come first`,
      `nothing; ${back}`,
    );
  const stays = `istiod and its workloads are in network ${network}, and ${names}; Meshjoin stays with ${network}`;
  if (isGuest(state)) {
    return found(
      stays,
      `${back}; a control plane that is not Meshjoin's changes its network by the hand of who keeps it`,
    );
  }
  const refused = whyRefused(member, context);
  if (refused !== undefined) return found(`${stays}: ${refused.message}`, `${refused.cure}; ${back}`);
  return found(
    stays,
    `to change it: meshjoin sync --confirm NetworkChanges; then restart its workloads, as a finding will say; ${back}`,
  );
}

/** The workloads that are to start anew after a change. */
export function podsInFormerNetwork({
  cluster,
  clusterId,
  network,
  formerNetwork,
  state: { podsElsewhere = [], controlPlane },
}: ReachableMember): Finding | undefined {
  if (formerNetwork === undefined) return undefined;
  const found = (message: string, cure: string) => finding("PodsInFormerNetwork", message, cure, clusterId);
  if ("unread" in podsElsewhere) {
    const { message, cure } = podsElsewhere.unread;
    return found(
      `Meshjoin cannot tell whether pods still run in network ${formerNetwork}: ${message}`,
      cure ?? "let Meshjoin list the pods of the cluster; for what keeps it from that: meshjoin doctor",
    );
  }
  if (podsElsewhere.length === 0) return undefined;
  const pods = podsElsewhere.reduce((sum, each) => sum + each.pods, 0);
  const [subject, verb] = [count(pods, "pod"), pods === 1 ? "is" : "are"];
  const message = `${subject} of ${count(podsElsewhere.length, "workload")} ${verb} still in network ${formerNetwork}; the gateway of that network stays until none is`;
  if (controlPlane?.network !== network)
    return found(message, "nothing yet: istiod comes first, and the next full run rolls it out");
  return found(message, restartOf(podsElsewhere, kubectlOn(cluster.ref)));
}

/** A change whose every pair has a way, as far as the clusters show; istiods are asked next. */
export interface ReadyChange {
  readonly member: ReachableMember;
  readonly action: LabelNamespace;
  /** Their istiods must list the gateway that the member has in the new network. */
  readonly readers: readonly ReachableMember[];
  /**
   * Networks in which pods of members run that its own istiods read, with the IDs of these members: the
   * istiods must know a gateway in each.
   */
  readonly targets: ReadonlyMap<string, readonly string[]>;
}

export interface ChangePlan {
  readonly ready: readonly ReadyChange[];
  /** What the others wait for. */
  readonly findings: readonly Finding[];
}

/** The members that are about to change their network. */
export function planChanges(context: PairContext): ChangePlan {
  const changes = context.members
    .filter(isReachable)
    .flatMap((member) =>
      member.nextNetwork === undefined ? [] : [planChange(member, member.nextNetwork, context)],
    );
  return {
    ready: changes.flatMap((each) => ("waitsFor" in each ? [] : [each])),
    findings: changes.flatMap((each) => ("waitsFor" in each ? [each.waitsFor] : [])),
  };
}

function planChange(
  member: ReachableMember,
  network: string,
  context: PairContext,
): ReadyChange | { readonly waitsFor: Finding } {
  const { clusterId, state } = member;
  const { after, all, networks, readers, targets } = pairsAfter(member, network, context);
  const waits = (why: string, cure: string) => ({
    waitsFor: finding(
      "NetworkChanges",
      `the change of ${clusterId} to network ${network} waits: ${why}`,
      cure,
      clusterId,
    ),
  });
  if (!context.isWholeView) {
    return waits(
      "Meshjoin does not see all clusters, or has credentials of one that is no member",
      "follow the cures of the other findings",
    );
  }
  if (!isComplete(member, context)) return waits("its own half is not whole", "nothing: it goes on then");
  const unreachable = [...readers, ...targets].find((each) => !isReachable(each));
  if (unreachable !== undefined) {
    const because = outOfReach(unreachable);
    return waits(
      `${unreachable.clusterId} is a pair with it and does not answer`,
      because?.cure ?? `mend that member, or take it out: meshjoin leave ${unreachable.clusterId}`,
    );
  }
  if (wantsGateway(after, { ...context, members: all, networks }) && !isGatewayUp(member, network))
    return waits("its gateway there is not up yet", "nothing, while its load balancer gets an address");
  const then: PairContext = { ...context, members: all, networks, view: "now" };
  const routes = [
    ...readers.map((reader) => networkRoute(reader, after, then)),
    ...targets.map((target) => networkRoute(after, target, then)),
  ];
  const bad = routes.find(({ kind }) => kind === "none" || kind === "pending");
  if (bad !== undefined && "finding" in bad) return waits(bad.finding.message, bad.finding.cure);
  const causes = [
    finding(
      "NetworkChanges",
      `${clusterId} changes from network ${member.network} to ${network}`,
      "nothing: istiod follows in the next full run; then the workloads are to be restarted",
      clusterId,
    ),
  ];
  return {
    member,
    action: {
      kind: "labelNamespace",
      verb: "update",
      clusterId,
      network,
      formerNetwork: member.network,
      acceptance: state.namespace?.acceptedCacerts,
      writes: [{ verb: "update", clusterId, object: { kind: "Namespace", name: ISTIO_NAMESPACE } }],
      findings: causes,
    },
    readers: readers
      .filter(isReachable)
      .filter((reader) => presentNetworks(reader).some((each) => each !== network)),
    targets: idsByNetwork(targets, network),
  };
}

function idsByNetwork(targets: readonly Member[], own: string): ReadonlyMap<string, readonly string[]> {
  const apart = targets.flatMap((target) =>
    presentNetworks(target)
      .filter((network) => network !== own)
      .map((network) => ({ network, id: target.clusterId })),
  );
  const groups = Map.groupBy(apart, ({ network }) => network);
  return new Map([...groups].map(([network, all]) => [network, all.map(({ id }) => id)] as const));
}

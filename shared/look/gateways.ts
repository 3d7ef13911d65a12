import { networksSeen, presentNetworks } from "../core/member/networks.ts";
import {
  isReachable,
  type Member,
  named,
  type Reachable,
  type ReachableMember,
} from "../core/member/observation.ts";
import { type GatewayState, isUp } from "../core/network/gateway.ts";
import { asMeshjoinError, MeshjoinError } from "../errors.ts";
import { GATEWAY_ENDPOINTS, GATEWAY_SERVICES, gatewayStates } from "../istio/gateway.ts";
import { namespaceState } from "../istio/member-state.ts";
import type { KubernetesObject } from "../ports/kubernetes-object.ts";
import type { Run } from "../run.ts";
import { NAMESPACE } from "./member.ts";

/**
 * The members with their east-west gateways, for which each reachable one is asked once, and again if it
 * has any. A mesh of one network needs none, so its members are asked only `always`: then one that is left
 * over is found. A member that does not answer stays without: nothing is known of its gateways.
 */
export async function lookAtGateways(
  run: Run,
  members: readonly Member[],
  always: boolean,
): Promise<readonly Member[]> {
  const networks = new Set(
    members.flatMap((member) => [...presentNetworks(member), ...[member.nextNetwork ?? []].flat()]),
  );
  const { gateways } = run.spec;
  if (networks.size < 2 && gateways !== "always" && !always) return members;
  return await Promise.all(members.map((member) => withGateways(run, member)));
}

/** The member with its gateways as they are now. Never fails. */
async function withGateways(run: Run, member: Member): Promise<Member> {
  if (!isReachable(member)) return member;
  const { state, cluster } = member;
  const seen = { ...state, ...(await run.inTurn(() => read(run, member))) };
  return seen.namespace === state.namespace
    ? { ...member, state: seen }
    : { ...named(cluster), state: seen, ...networksSeen(seen, cluster) };
}

async function read(
  { ports, spec, signal }: Run,
  member: ReachableMember,
): Promise<Pick<Reachable, "gateways" | "namespace">> {
  const { reader } = ports.fleet.member(member.cluster);
  const { namespace } = member.state;
  try {
    const services = await reader.list(GATEWAY_SERVICES, signal);
    const slices = services.length === 0 ? [] : await reader.list(GATEWAY_ENDPOINTS, signal);
    const gateways = gatewayStates(services, slices);
    if (namespace !== undefined || !gateways.some((each) => isOfUnknownChange(each, member)))
      return { gateways, namespace };
    const noted = await reader.get(NAMESPACE, signal);
    return { gateways, namespace: noted && namespaceState(noted, spec.meshId) };
  } catch (error) {
    const { code, message, cure, retryable } = asMeshjoinError(
      error,
      member.clusterId,
      "its gateways were read",
    );
    return { gateways: { unread: { code, message, cure, retryable } }, namespace };
  }
}

/**
 * A gateway of Meshjoin's in a network that the member does not seem to be in: the namespace, which is not
 * read of every peer, may tell of a change that istiod and the cluster's label show nothing of.
 */
function isOfUnknownChange({ network, settings }: GatewayState, member: Member): boolean {
  const known = [...presentNetworks(member), member.nextNetwork ?? ""];
  return settings !== undefined && network !== "" && !known.includes(network);
}

/** Waits until such gateways of the member are up, or the signal aborts; answers the member as it is then. */
export async function awaitGateway(
  run: Run,
  member: Member,
  awaited: readonly ((gateway: GatewayState) => boolean)[],
  signal: AbortSignal,
): Promise<Member> {
  const { reader } = run.ports.fleet.member(member.cluster);
  const areAll = (gateways: readonly GatewayState[], holds: (gateway: GatewayState) => boolean) =>
    awaited.every((isAwaited) => gateways.some((gateway) => isAwaited(gateway) && holds(gateway)));
  const hasOpen = (services: readonly KubernetesObject[], slices: readonly KubernetesObject[]) =>
    areAll(gatewayStates(services, slices), isUp);
  try {
    const hasAddress = (services: readonly KubernetesObject[]) =>
      areAll(gatewayStates(services, []), ({ addresses }) => addresses.length > 0);
    const services = await reader.until(GATEWAY_SERVICES, hasAddress, signal);
    await reader.until(GATEWAY_ENDPOINTS, (slices) => hasOpen(services, slices), signal);
  } catch (error) {
    if (!(error instanceof MeshjoinError)) throw error;
  }
  return await withGateways(run, member);
}

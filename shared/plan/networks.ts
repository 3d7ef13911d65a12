import type { MemberState, NamedCluster } from "../core/member/observation.ts";
import { reaches } from "../core/network/connected.ts";
import { type Exposure, exposureOf, type GatewayState } from "../core/network/gateway.ts";
import type { MeshSpec } from "../core/spec.ts";
import type { WantedGateway } from "./context.ts";

/** A cluster, and what is known of its state. */
export type MaybeMember = NamedCluster & { readonly state?: MemberState };

/** The networks of a mesh, found once for all questions about its pairs: those are many. */
export interface Networks<M extends MaybeMember = MaybeMember> {
  readonly names: readonly string[];
  membersOf(network: string): readonly M[];
  /** Exposures of the gateways that the members of the network should have, or have by a person's hand. */
  exposuresIn(network: string): readonly Exposure[];
  /** IDs of the clusters that istiod of the reader reads by a remote secret. */
  readBy(reader: M): ReadonlySet<string>;
  /** The readers that have a remote secret of the cluster, whether istiod reads it or not. */
  holdersOf(clusterId: string): readonly M[];
}

export function indexNetworks<M extends MaybeMember>(members: readonly M[], spec: MeshSpec): Networks<M> {
  const byNetwork = Map.groupBy(members, ({ network }) => network);
  const names = [...byNetwork.keys()];
  const membersOf = (network: string) => byNetwork.get(network) ?? [];
  const exposuresIn = once((network: string) => [
    ...new Set(membersOf(network).flatMap((member) => ownExposures(member, names, spec))),
  ]);
  const readBy = once((reader: M) => new Set(targetsOf(reader, ({ isRead }) => isRead)));
  const holders = once((_: "all") => {
    const found = new Map<string, M[]>();
    for (const member of members) {
      for (const target of new Set(targetsOf(member, () => true)))
        found.set(target, [...(found.get(target) ?? []), member]);
    }
    return found;
  });
  return { names, membersOf, exposuresIn, readBy, holdersOf: (id) => holders("all").get(id) ?? [] };
}

function targetsOf({ state }: MaybeMember, counts: (secret: { readonly isRead: boolean }) => boolean) {
  return state?.reachable === true ? state.remoteSecrets.filter(counts).map(({ targetId }) => targetId) : [];
}

function once<K, V>(answer: (question: K) => V): (question: K) => V {
  const known = new Map<K, V>();
  return (question) => {
    const found = known.get(question);
    if (found !== undefined) return found;
    const made = answer(question);
    known.set(question, made);
    return made;
  };
}

/** Undefined where nothing is known of them. */
export function gatewaysOf({ state }: MaybeMember): readonly GatewayState[] | undefined {
  const gateways = state?.reachable === true ? state.gateways : undefined;
  return gateways === undefined || "unread" in gateways ? undefined : gateways;
}

/** Whether Meshjoin may give it a gateway, if another network can use it. */
export function mayHaveGateway(member: MaybeMember, spec: MeshSpec): boolean {
  return spec.gateways !== "never" && exposureOf(member.cluster, spec) !== "none" && !isForeign(member);
}

function isForeign({ state }: MaybeMember): boolean {
  return state?.reachable === true && state.controlPlane?.owner === "foreign";
}

/** The gateway that the member should have, among these networks; undefined where it should have none. */
export function wantedGateway(
  member: MaybeMember,
  names: readonly string[],
  spec: MeshSpec,
): WantedGateway | undefined {
  const exposure = exposureOf(member.cluster, spec);
  if (exposure === "none" || !mayHaveGateway(member, spec)) return undefined;
  const { network } = member;
  const isUsed = names.some((other) => other !== network && reaches(other, network, exposure, spec));
  return isUsed || spec.gateways === "always" ? { network, exposure } : undefined;
}

/**
 * How the gateways are exposed that the member should have, or has by a person's hand. One of Meshjoin's that
 * is there and not wanted carries the pairs that it has, and no new ones.
 */
export function ownExposures(
  member: MaybeMember,
  names: readonly string[],
  spec: MeshSpec,
): readonly Exposure[] {
  const wanted = wantedGateway(member, names, spec);
  const byHand = (gatewaysOf(member) ?? []).filter(
    ({ network, settings }) => network === member.network && settings === undefined,
  );
  return [wanted ?? [], byHand].flat().map(({ exposure }) => exposure);
}

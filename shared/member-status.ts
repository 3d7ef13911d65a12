import type { Finding } from "./core/answers/finding.ts";
import type {
  CertificateStatus,
  DrainStatus,
  GatewayStatus,
  IngressStatus,
  MemberStatus,
} from "./core/answers/status.ts";
import { peerEndpoint } from "./core/cluster/endpoints.ts";
import { placeOf } from "./core/cluster/sources.ts";
import type { Member } from "./core/member/observation.ts";
import { isUp } from "./core/network/gateway.ts";
import { isNetworkDeclared, networkOf } from "./core/network/network.ts";
import type { DrainStanding } from "./plan/drains.ts";
import { gatewaysOf } from "./plan/networks.ts";
import type { NetworkGateway, RemoteClusterStatus } from "./ports/member-api.ts";
import type { Run } from "./run.ts";

/** The roots and connections that one member's istiods show. */
export interface IstiodView {
  readonly root: readonly CertificateStatus[];
  readonly pods: readonly PodView[];
}

export interface PodView {
  readonly pod: string;
  /** Undefined where Meshjoin could not ask the pod. */
  readonly clusters: readonly RemoteClusterStatus[] | undefined;
  /** That it knows. Undefined where Meshjoin could not ask, or all members are of one network. */
  readonly gateways: readonly NetworkGateway[] | undefined;
  /** Leaf first, then the intermediate. */
  readonly chain: readonly string[];
}

export interface MemberSeen {
  readonly view: IstiodView | undefined;
  readonly drain: DrainStanding;
  readonly findings: readonly Finding[];
}

export function memberStatus(
  { spec }: Run,
  member: Member,
  { view, drain, findings }: MemberSeen,
): MemberStatus {
  const { cluster, clusterId, network, state } = member;
  const endpoint = peerEndpoint(cluster, spec.accessPeers, clusterId);
  const cacerts = state.reachable && state.cacerts?.owner !== "foreign" ? state.cacerts : undefined;
  return {
    clusterId,
    ...placeOf(cluster.ref),
    reachable: state.reachable,
    network: { name: network, declared: isNetworkDeclared(cluster) && networkOf(cluster) === network },
    gateway: gatewayStatus(member),
    drain: drainStatus(drain),
    ingress: ingressStatus(member),
    kubernetesVersion: cluster.kubernetesVersion,
    istioVersion: (state.reachable && state.controlPlane?.istioVersion) || null,
    endpoint: "endpoint" in endpoint ? endpoint.endpoint.kind : null,
    root: view?.root ?? [],
    intermediate: {
      written:
        cacerts?.notAfter === undefined
          ? null
          : { fingerprint: cacerts.fingerprint, notAfter: cacerts.notAfter.toISOString() },
      loaded: (view?.pods ?? []).flatMap(({ pod, chain: [, intermediate] }) =>
        intermediate === undefined ? [] : [{ pod, fingerprint: intermediate }],
      ),
    },
    findings,
  };
}

/** By the notes that stand: a label that no run has seen yet is a finding. */
function drainStatus(drain: DrainStanding): DrainStatus {
  if (drain.state === "unknown") return { state: "unknown" };
  const note = "note" in drain ? drain.onRecord : undefined;
  if (note?.state !== "drained") return { state: "none" };
  const { since, by, reason } = note;
  return { state: "present", since: since.toISOString(), by, reason };
}

/** Meshjoin's own before another of the member's network. */
function gatewayStatus(member: Member): GatewayStatus {
  const all = gatewaysOf(member);
  if (all === undefined) return { state: "unknown" };
  const own = all.filter(({ network }) => network === member.network);
  const shown = own.find(({ settings }) => settings !== undefined) ?? own.find(isUp) ?? own[0];
  if (shown === undefined) return { state: "none" };
  const [address] = shown.addresses;
  return {
    state: "present",
    ...(address === undefined ? {} : { address }),
    up: isUp(shown),
    exposure: shown.exposure,
  };
}

function ingressStatus({ state }: Member): IngressStatus {
  const ingress = state.reachable ? state.ingress : undefined;
  if (ingress?.state !== "present") return { state: ingress?.state ?? "unknown" };
  const [address] = ingress.addresses;
  return {
    state: "present",
    ...(address === undefined ? {} : { address }),
    up: isUp(ingress),
    tls: ingress.tls.state,
  };
}

import { kubectlOn } from "../cluster/gcloud.ts";
import { createRule, ruleName } from "../firewall/firewall-rule.ts";
import { GATEWAY, ISTIO_NAMESPACE } from "../names.ts";
import type { ProbeAnswer } from "./answer.ts";
import type { ProbeQuestion } from "./question.ts";
import { PROBE_APP, PROBE_NAMESPACE } from "./wire.ts";

/** The words for a cause: `says` is a sentence without its period, `cure` a command where there is one. */
interface CauseEntry {
  /** `unknown`: the question was not asked, or its answer tells nothing of the way for requests. */
  readonly state: "failed" | "unknown";
  readonly says: (question: ProbeQuestion, answer: ProbeAnswer | undefined) => string;
  readonly cure: (question: ProbeQuestion) => string;
}

/** Why a request of one member's probe did not reach another's, by a stable name. */
export const PROBE_CAUSES = {
  NotAsked: {
    state: "unknown",
    says: ({ reader }) => `the probe of ${reader.clusterId} could not be asked`,
    cure: ({ reader }) => podsOf(reader),
  },
  NoProbe: {
    state: "unknown",
    says: ({ target }) => `there is no probe in ${target.clusterId}`,
    cure: ({ target }) => podsOf(target),
  },
  QuestionUnknown: {
    state: "unknown",
    says: ({ reader, target }) =>
      `the proxy of the probe of ${reader.clusterId} has no route to ${target.clusterId} yet`,
    cure: ({ reader }) =>
      `see whether istiod reaches its proxies: ${kubectl(reader)} -n ${ISTIO_NAMESPACE} logs deployment/istiod`,
  },
  AnswerMissing: {
    state: "unknown",
    says: ({ target }, answer) =>
      `a request got through to ${target.clusterId}, and its probe gave no answer of its own (HTTP ${answer?.status ?? "-"})`,
    cure: ({ target }) =>
      `see whether istiod reaches its proxies: ${kubectl(target)} -n ${ISTIO_NAMESPACE} logs deployment/istiod`,
  },
  IssuerUnknown: {
    state: "unknown",
    says: ({ target }) =>
      `a request got through, and the certificate of the other side names no cluster, so nothing proves that it is ${target.clusterId}`,
    cure: ({ target }) =>
      `give ${target.clusterId} an intermediate CA of Meshjoin's; one that a person made does not name the cluster`,
  },
  GatewayUnknown: {
    state: "unknown",
    says: ({ target }, answer) =>
      `a request got through by ${answer?.host ?? "an address"}, and Meshjoin does not know the addresses of the gateways of network ${target.network}`,
    cure: ({ target }) => gatewayServices(target),
  },
  NoEndpoint: {
    state: "failed",
    says: ({ reader, target }) =>
      `istiod of ${reader.clusterId} has no endpoint of ${target.clusterId} for its proxies: it has no remote secret of it, or the pod is gone`,
    cure: ({ target }) => `meshjoin sync; and see the pod: ${podsOf(target)}`,
  },
  NoHealthyEndpoint: {
    state: "failed",
    says: ({ reader, target }) =>
      `the proxy of the probe of ${reader.clusterId} has no endpoint of ${target.clusterId} that it may use`,
    cure: ({ target }) => podsOf(target),
  },
  TargetNotReady: {
    state: "failed",
    says: ({ target }) => `the probe of ${target.clusterId} is not ready`,
    cure: ({ target }) => podsOf(target),
  },
  EndpointEjected: {
    state: "failed",
    says: ({ reader, target }) =>
      `the proxy in ${reader.clusterId} has ejected ${target.clusterId}: a DestinationRule of another owner turns outlier detection on for the probe`,
    cure: ({ reader }) =>
      `find it: ${kubectl(reader)} get destinationrules.networking.istio.io --all-namespaces`,
  },
  TargetRefuses: {
    state: "failed",
    says: ({ target }, answer) =>
      `${answer?.host ?? target.clusterId} refuses the connection: no process listens there`,
    cure: ({ target }) => podsOf(target),
  },
  GatewayRefuses: {
    state: "failed",
    says: ({ target }, answer) =>
      `the gateway of network ${target.network} at ${answer?.host ?? "its address"} refuses the connection: no process of it listens`,
    cure: ({ target }) =>
      `${kubectl(target)} -n ${ISTIO_NAMESPACE} get pods -l gateway.networking.k8s.io/gateway-name=${GATEWAY} -o wide`,
  },
  TargetSilent: {
    state: "failed",
    says: ({ reader, target }, answer) =>
      `no connection from ${reader.clusterId} to ${answer?.host ?? "the pod"} in ${target.clusterId}: no firewall rule lets it through, or the pod hangs`,
    cure: podsRule,
  },
  GatewaySilent: {
    state: "failed",
    says: ({ reader, target }, answer) =>
      `no connection from ${reader.clusterId} to the gateway of network ${target.network} at ${answer?.host ?? "its address"}: the networks are not connected, no firewall rule lets port 15443 in, or the target hangs`,
    cure: gatewayRule,
  },
  TargetNotTrusted: {
    state: "failed",
    says: ({ reader, target }, answer) =>
      `${reader.clusterId} does not accept the certificate of ${target.clusterId}; with another root, their proxies do not trust each other (${textOf(answer?.failure)})`,
    cure: () => "meshjoin status; then: meshjoin sync",
  },
  ReaderNotTrusted: {
    state: "failed",
    says: ({ reader, target }) =>
      `${target.clusterId} does not accept the certificate of ${reader.clusterId}; its proxies do not have the root of the other side`,
    cure: () => "meshjoin status; then: meshjoin sync",
  },
  NoMutualTls: {
    state: "failed",
    says: ({ target }) =>
      `${target.clusterId} ended the connection before it showed a certificate: the request was sent without mutual TLS`,
    cure: ({ reader }) =>
      `find a DestinationRule or PeerAuthentication of another owner: ${kubectl(reader)} get destinationrules.networking.istio.io,peerauthentications.security.istio.io --all-namespaces`,
  },
  GatewayClosed: {
    state: "failed",
    says: ({ target }) =>
      `the gateway of network ${target.network} ended the connection: istiod of ${target.clusterId} gives it no port for the probe`,
    cure: ({ target }) =>
      `${kubectl(target)} -n ${ISTIO_NAMESPACE} logs -l gateway.networking.k8s.io/gateway-name=${GATEWAY} --tail=50`,
  },
  TargetDeadBehindGateway: {
    state: "failed",
    says: ({ target }) =>
      `the gateway of network ${target.network} ended the connection, and the probe of ${target.clusterId} does not reach itself`,
    cure: ({ target }) => podsOf(target),
  },
  GatewayEndedConnection: {
    state: "failed",
    says: ({ target }) =>
      `the gateway of network ${target.network} ended the connection: the target behind it is dead, or istiod gives it no port for the probe`,
    cure: ({ target }) => podsOf(target),
  },
  ConnectionEnded: {
    state: "failed",
    says: ({ target }, answer) =>
      `${answer?.host ?? target.clusterId} ended the connection (${textOf(answer?.failure ?? answer?.details)}): another process may have this address`,
    cure: ({ target }) => podsOf(target),
  },
  NoAnswerInTime: {
    state: "failed",
    says: ({ target }) => `${target.clusterId} took the connection and did not answer in time`,
    cure: ({ target }) => podsOf(target),
  },
  RawAddress: {
    state: "failed",
    says: ({ reader, target }, answer) =>
      `proxies of ${reader.clusterId} send to ${answer?.host ?? "an address"}, which is no gateway of network ${target.network}: istiod hands out pod addresses of another network`,
    cure: () => "meshjoin sync",
  },
  ThroughGateway: {
    state: "failed",
    says: ({ reader, target }, answer) =>
      `both are in network ${target.network}, and proxies of ${reader.clusterId} send to the gateway ${answer?.host ?? ""}: istiod knows a member by another network`,
    cure: ({ target }) => `${kubectl(target)} get namespace ${ISTIO_NAMESPACE} --show-labels`,
  },
  WrongCluster: {
    state: "failed",
    says: ({ target }, answer) =>
      `not ${target.clusterId} but ${otherThan(target, answer) ?? "another cluster"} answered; pod ranges of two clusters may overlap`,
    cure: () => "meshjoin doctor",
  },
  RefusedByPolicy: {
    state: "failed",
    says: ({ target }) => `an AuthorizationPolicy in ${target.clusterId} refuses the request`,
    cure: ({ target }) =>
      `find the policy with action DENY: ${kubectl(target)} get authorizationpolicies.security.istio.io --all-namespaces`,
  },
  Unexplained: {
    state: "failed",
    says: (_, answer) =>
      `the request failed: HTTP ${answer?.status ?? "-"}, ${[answer?.flags, answer?.details, answer?.failure].map(textOf).join(", ")}`,
    cure: ({ reader }) => `${kubectl(reader)} -n ${PROBE_NAMESPACE} logs -l app=${PROBE_APP} --tail=50`,
  },
} as const satisfies Readonly<Record<string, CauseEntry>>;

export type ProbeCause = keyof typeof PROBE_CAUSES;

// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the keys of the table are all there are
export const PROBE_CAUSE_NAMES = Object.keys(PROBE_CAUSES) as ProbeCause[];

const TEXT_MAX = 200;

/** A server's own words, bounded, and without characters that a terminal would obey. */
function textOf(text = "nothing said"): string {
  return text.slice(0, TEXT_MAX).replaceAll(/[^\u0020-\u007E]/g, "?");
}

function otherThan({ clusterId }: ProbeQuestion["target"], answer?: ProbeAnswer): string | undefined {
  return [answer?.issuedBy, answer?.answersFor].find((id) => id !== undefined && id !== clusterId);
}

function kubectl({ cluster }: ProbeQuestion["reader"]): string {
  return kubectlOn(cluster.ref);
}

function podsOf(member: ProbeQuestion["reader"]): string {
  return `${kubectl(member)} -n ${PROBE_NAMESPACE} get pods -l app=${PROBE_APP} -o wide`;
}

function gatewayServices(member: ProbeQuestion["reader"]): string {
  return `${kubectl(member)} -n ${ISTIO_NAMESPACE} get services -l topology.istio.io/network`;
}

/** The rule of all members of the VPC; `--source-ranges` replaces those that a rule had. */
function podsRule({ reader, target, members }: ProbeQuestion): string {
  const { network } = target.cluster;
  const isOneVpc =
    network.project === reader.cluster.network.project && network.name === reader.cluster.network.name;
  if (isOneVpc) return createRule(network, members).cure;
  const rule = createRule(reader.cluster.network, members);
  return allow({
    target,
    ranges: rule.ranges,
    ports: "tcp",
    name: ruleName("meshjoin-pods-of", reader.cluster.network.name),
  });
}

function gatewayRule({ reader, target, members }: ProbeQuestion): string {
  const { ranges } = createRule(reader.cluster.network, members);
  const rule = allow({
    target,
    ranges,
    ports: "tcp:15443",
    name: ruleName(GATEWAY, "from", reader.cluster.network.name),
  });
  return `connect the networks (peering, VPN or Interconnect), and let port 15443 in: ${rule}`;
}

interface Allow {
  readonly target: ProbeQuestion["target"];
  readonly ranges: readonly string[];
  readonly ports: string;
  readonly name: string;
}

function allow({ target, ranges, ports, name }: Allow): string {
  const { project, name: network } = target.cluster.network;
  return `gcloud compute firewall-rules create ${name} --project=${project} --network=${network} --direction=INGRESS --source-ranges=${ranges.join(",")} --allow=${ports}`;
}

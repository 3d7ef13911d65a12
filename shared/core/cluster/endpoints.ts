import { type Finding, finding } from "../answers/finding.ts";
import type { Access } from "../spec.ts";
import type { Cluster, Endpoint, EndpointKind } from "./cluster.ts";
import { describeCommand, updateClusterCommand } from "./gcloud.ts";

export type EndpointChoice = { readonly endpoint: Endpoint } | { readonly finding: Finding };

/** The address by which Meshjoin itself, with an IAM token, reaches the API server. */
export function functionEndpoint(cluster: Cluster, access: Access, clusterId: string): EndpointChoice {
  const { dns, public: open, private: inner } = cluster.endpoints;
  if (access !== "auto") return chosen(cluster, access, clusterId);
  const endpoint = (dns?.allowsExternalTraffic ? dns : undefined) ?? open ?? inner;
  return endpoint === undefined ? none(cluster, "any", clusterId) : { endpoint };
}

/**
 * The address for remote secrets. Another istiod comes as user traffic with a Kubernetes token. The DNS-based
 * endpoint refuses either unless the cluster allows it.
 */
export function peerEndpoint(cluster: Cluster, access: Access, clusterId: string): EndpointChoice {
  const { dns, public: open, private: inner } = cluster.endpoints;
  if (access === "dns" && dns !== undefined && !dns.allowsKubernetesTokens) {
    return {
      finding: finding(
        "DnsTokensNotAllowed",
        "the DNS-based endpoint of the cluster refuses Kubernetes tokens, and remote secrets carry one",
        `${updateClusterCommand(cluster.ref, "--enable-k8s-tokens-via-dns")}, or set MESHJOIN_ACCESS_PEERS to private or public`,
        clusterId,
      ),
    };
  }
  if (access !== "auto") return chosen(cluster, access, clusterId);
  const takesPeers = dns?.allowsExternalTraffic === true && dns.allowsKubernetesTokens;
  const endpoint = (takesPeers ? dns : undefined) ?? open ?? inner;
  return endpoint === undefined ? none(cluster, "any", clusterId) : { endpoint };
}

function chosen(cluster: Cluster, kind: EndpointKind, clusterId: string): EndpointChoice {
  const endpoint = cluster.endpoints[kind];
  return endpoint === undefined ? none(cluster, kind, clusterId) : { endpoint };
}

function none(cluster: Cluster, kind: EndpointKind | "any", clusterId: string): EndpointChoice {
  return {
    finding: finding(
      "EndpointNotAvailable",
      `the cluster has no ${kind === "any" ? "" : `${kind} `}endpoint of its API server`,
      `${enabling(cluster, kind)}; or change MESHJOIN_ACCESS_FUNCTION and MESHJOIN_ACCESS_PEERS`,
      clusterId,
    ),
  };
}

function enabling({ ref }: Cluster, kind: EndpointKind | "any"): string {
  return kind === "dns" || kind === "any"
    ? `enable the DNS-based one: ${updateClusterCommand(ref, "--enable-dns-access")}`
    : `see which it has, and enable the ${kind} one: ${describeCommand(ref)} --format='yaml(controlPlaneEndpointsConfig)'`;
}

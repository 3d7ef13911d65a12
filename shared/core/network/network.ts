import type { Cluster } from "../cluster/cluster.ts";
import { networkName } from "../names.ts";
import { YAML_WORDS } from "../yaml-words.ts";

/** The GKE resource label that names a member's network. Clusters of peered VPCs may share one. */
export const MESH_NETWORK_LABEL = "mesh_network";

/**
 * A value of a Kubernetes label, too, and a word that YAML reads as a text: it stands in Istio's manifest.
 * VPCs have names with a dot, so a label never names one by accident.
 */
const FORM = /^[a-z](?:[-_a-z0-9]{0,61}[a-z0-9])?$/;

/** Istio's name of the network that the cluster's pods are in: that of its label, else that of its VPC. */
export function networkOf(cluster: Cluster): string {
  const label = cluster.labels[MESH_NETWORK_LABEL];
  return label !== undefined && isNetworkLabel(label) ? label : networkName(cluster.network);
}

/** Whether the cluster's label names its network. */
export function isNetworkDeclared(cluster: Cluster): boolean {
  return networkOf(cluster) === cluster.labels[MESH_NETWORK_LABEL];
}

export function isNetworkLabel(value: string): boolean {
  return FORM.test(value) && !YAML_WORDS.includes(value);
}

export const NETWORK_LABEL_FORM = `1 to 63 lower-case letters, digits, - and _, beginning with a letter and not ending with - or _, and none of ${YAML_WORDS.join(", ")}`;

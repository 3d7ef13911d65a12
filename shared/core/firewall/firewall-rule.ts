import { parseRange } from "../cluster/address-ranges.ts";
import type { Cluster, VpcRef } from "../cluster/cluster.ts";
import { networkName } from "../names.ts";

const FIREWALL_RULE = "meshjoin-pods";
/** The protocols between pods of a mesh; as in terraform/firewall.tf. */
const PROTOCOLS = ["tcp", "udp", "icmp"] as const;

/** The rule that lets pods of all members of a network reach each other. */
export interface PodsRule {
  /** Of all pods, never empty: without a range gcloud would admit every address. */
  readonly ranges: readonly string[];
  /** Shell command that creates the rule. */
  readonly command: string;
  /** Shell command that gives an existing rule all ranges: `--source-ranges` replaces those that it had. */
  readonly update: string;
  /** Lines for the module in terraform/. */
  readonly terraform: string;
  /** Shell commands: create the rule, or else update it. */
  readonly cure: string;
}

/** Members of other networks are left out. */
export function createRule(network: VpcRef, members: readonly Cluster[]): PodsRule {
  const own = members.filter((cluster) => networkName(cluster.network) === networkName(network));
  const ranges = podRangesOf(own);
  const where = `--project=${network.project}`;
  const source = `--source-ranges=${ranges.join(",")}`;
  const command =
    `gcloud compute firewall-rules create ${FIREWALL_RULE} ${where} --network=${network.name} ` +
    `--direction=INGRESS ${source} --allow=${PROTOCOLS.join(",")}`;
  const update = `gcloud compute firewall-rules update ${FIREWALL_RULE} ${where} ${source}`;
  const terraform = [
    "firewall = {",
    `  pod_ranges = ${JSON.stringify(ranges).replaceAll(",", ", ")}`,
    `  networks   = { main = { project = ${JSON.stringify(network.project)}, network = ${JSON.stringify(network.name)} } }`,
    "}",
  ].join("\n");
  return { ranges, command, update, terraform, cure: `${command} || ${update}` };
}

/**
 * The ranges of all pods for a rule. Where GKE does not tell the addresses, a word that gcloud refuses stands
 * in for them until a person fills them in: a rule without any range would admit every address.
 */
export function podRangesOf(clusters: readonly Cluster[]): readonly string[] {
  const known = unique(clusters.flatMap(({ podRanges }) => podRanges.cidrs)).toSorted(byAddress);
  const named = clusters.flatMap(({ podRanges }) => podRanges.namesOnly.map((name) => `RANGE_OF_${name}`));
  const untold = clusters
    .filter(({ podRanges }) => podRanges.cidrs.length + podRanges.namesOnly.length === 0)
    .map(({ ref }) => `PODS_OF_${ref.name}`);
  const all = [...known, ...unique([...named, ...untold]).toSorted()];
  return all.length > 0 ? all : ["RANGE_OF_PODS"];
}

/** Google's limit for the name of a rule. */
const NAME_MAX = 63;

/** A name that Google takes, however long the network's or the cluster's own is. */
export function ruleName(...parts: readonly string[]): string {
  return parts.join("-").slice(0, NAME_MAX).replace(/-+$/, "");
}

function unique(values: readonly string[]): string[] {
  return [...new Set(values)];
}

/** The order of the command does not depend on the order of the members. */
function byAddress(a: string, b: string): number {
  const first = (cidr: string) => parseRange(cidr)?.first ?? Number.POSITIVE_INFINITY;
  return first(a) - first(b) || (a < b ? -1 : 1);
}

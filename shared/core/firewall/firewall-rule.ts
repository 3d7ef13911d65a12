import { parseRange } from "../cluster/address-ranges.ts";
import type { Cluster, VpcRef } from "../cluster/cluster.ts";
import { networkName } from "../names.ts";

const FIREWALL_RULE = "meshjoin-pods";
/** The protocols between pods of a mesh; as in terraform/firewall.tf. */
const PROTOCOLS = ["tcp", "udp", "icmp"] as const;

/** The rule that lets pods of all members of a network reach each other. */
export interface PodsRule {
  readonly ranges: readonly string[];
  /** Ranges whose addresses GKE does not tell: a person adds them. */
  readonly namesOnly: readonly string[];
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
  const ranges = unique(own.flatMap(({ podRanges }) => podRanges.cidrs)).toSorted(byAddress);
  const namesOnly = unique(own.flatMap(({ podRanges }) => podRanges.namesOnly)).toSorted();
  const placeholders = namesOnly.map((name) => `RANGE_OF_${name}`);
  const all = [...ranges, ...placeholders];
  const where = `--project=${network.project}`;
  const source = `--source-ranges=${all.join(",")}`;
  const command =
    `gcloud compute firewall-rules create ${FIREWALL_RULE} ${where} --network=${network.name} ` +
    `--direction=INGRESS ${source} --allow=${PROTOCOLS.join(",")}`;
  const update = `gcloud compute firewall-rules update ${FIREWALL_RULE} ${where} ${source}`;
  const terraform = [
    "firewall = {",
    `  pod_ranges = ${JSON.stringify(all).replaceAll(",", ", ")}`,
    `  networks   = { main = { project = ${JSON.stringify(network.project)}, network = ${JSON.stringify(network.name)} } }`,
    "}",
  ].join("\n");
  return { ranges, namesOnly, command, update, terraform, cure: `${command} || ${update}` };
}

function unique(values: readonly string[]): string[] {
  return [...new Set(values)];
}

/** The order of the command does not depend on the order of the members. */
function byAddress(a: string, b: string): number {
  const first = (cidr: string) => parseRange(cidr)?.first ?? Number.POSITIVE_INFINITY;
  return first(a) - first(b) || (a < b ? -1 : 1);
}

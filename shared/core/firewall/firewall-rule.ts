import { parseRange } from "../cluster/address-ranges.ts";
import type { Cluster, VpcRef } from "../cluster/cluster.ts";
import { networkName } from "../names.ts";

const FIREWALL_RULE = "meshjoin-pods";
/** What pods of a mesh send each other; as in terraform/firewall.tf. */
const PROTOCOLS = ["tcp", "udp", "icmp"] as const;

/** The rule that lets pods of all members of a network reach each other. */
export interface PodsRule {
  readonly ranges: readonly string[];
  /** Of ranges whose addresses GKE does not tell: they have to be added by hand. */
  readonly namesOnly: readonly string[];
  /** For a shell. It makes the rule. */
  readonly command: string;
  /** For a shell. It gives a rule that is there all ranges; `--source-ranges` replaces those that it had. */
  readonly update: string;
  /** Lines for the module in terraform/. */
  readonly terraform: string;
  /** What to do, in words and commands. */
  readonly cure: string;
}

/** Of members of other networks nothing is in it. */
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

/** So that the same members make the same command, in whatever order they were listed. */
function byAddress(a: string, b: string): number {
  const first = (cidr: string) => parseRange(cidr)?.first ?? Number.POSITIVE_INFINITY;
  return first(a) - first(b) || (a < b ? -1 : 1);
}

import { type Finding, finding } from "../answers/finding.ts";
import { type AddressRange, overlap, parseRange, subtract } from "../cluster/address-ranges.ts";
import type { Cluster, VpcRef } from "../cluster/cluster.ts";
import { clusterId, networkName } from "../names.ts";
import { createRule } from "./firewall-rule.ts";

/** The deciding parts of a VPC firewall rule; https://cloud.google.com/firewall/docs/firewalls */
export interface FirewallRule {
  readonly name: string;
  readonly direction: "INGRESS" | "EGRESS";
  readonly action: "allow" | "deny";
  /** 0 to 65535. The lowest decides; of equal ones, the one that denies. */
  readonly priority: number;
  /** TCP ports, like `80` and `8000-8999`; `all` if the rule names none, `none` if it is not about TCP. */
  readonly tcp: "all" | "none" | readonly string[];
  /** CIDR ranges. */
  readonly sourceRanges: readonly string[];
  readonly destinationRanges: readonly string[];
  /** A tag or a service account selects its nodes, so the connections it decides about are not known. */
  readonly byName: boolean;
  /** The tags, where tags alone select the nodes. */
  readonly targetTags?: readonly string[];
}

/** A rule of a firewall policy that may decide before or after the VPC's own rules. */
export interface PolicyRule {
  /** `policy NAME, priority N` */
  readonly name: string;
  /** Of a regional policy. */
  readonly region?: string;
  readonly direction: "INGRESS" | "EGRESS";
  /** CIDR ranges of the other side; undefined where the rule matches it in another way. */
  readonly remoteRanges?: readonly string[];
}

/** The rules in force in a network, without disabled ones. */
export interface EffectiveFirewall {
  readonly rules: readonly FirewallRule[];
  readonly policyRules: readonly PolicyRule[];
}

/** Whether pods of `from` may connect to pods of `to`. `why` completes "requests … do not get through: …". */
export interface PairVerdict {
  readonly from: Cluster;
  readonly to: Cluster;
  readonly state: "allowed" | "missing" | "unknown";
  readonly why: string;
}

/** SSH, RDP, kubelets: default networks and GKE have rules for these; no workload of a mesh listens there. */
const ADMINISTRATIVE_PORTS = new Set(["22", "3389", "10250", "10255"]);

/** Checks each ordered pair of clusters in this network. Skips members of other networks. */
export function checkPairs(
  network: VpcRef,
  members: readonly Cluster[],
  firewall: EffectiveFirewall,
): PairVerdict[] {
  const own = members.filter((cluster) => networkName(cluster.network) === networkName(network));
  return own.flatMap((from) =>
    own.filter((to) => to !== from).map((to) => ({ from, to, ...checkPair(from, to, firewall) })),
  );
}

export type ConnectionVerdict = Pick<PairVerdict, "state" | "why">;

export const ALLOWED: ConnectionVerdict = { state: "allowed", why: "rules let them through" };

function checkPair(from: Cluster, to: Cluster, { rules, policyRules }: EffectiveFirewall): ConnectionVerdict {
  const source = rangesOf(from);
  const target = rangesOf(to);
  const unknown = [...source.unknown, ...target.unknown];
  const verdicts = [
    decide("INGRESS", rulesFor(to, rules), source.known, target.known),
    decide("EGRESS", rulesFor(from, rules), target.known, source.known),
  ];
  const policies = policyRules.filter((rule) => mayDecide(rule, { from, to, source, target }));
  if (policies.length > 0) {
    const names = policies.map(({ name }) => name).join("; ");
    return { state: "unknown", why: `Meshjoin does not evaluate the firewall policy (${names})` };
  }
  const missing = verdicts.find(({ state }) => state === "missing");
  if (missing !== undefined) return missing;
  if (unknown.length > 0) {
    return { state: "unknown", why: `GKE does not tell the addresses of pod range ${unknown.join(", ")}` };
  }
  return verdicts.find(({ state }) => state === "unknown") ?? ALLOWED;
}

/** `-0a1b2c3d-node` */
const HASH_AND_NODE = 14;
const NODE_TAG = /^gke-[-a-z0-9]+-[0-9a-f]{8}-node$/;

/**
 * The rules that may decide about nodes of a cluster. GKE gives each node a tag of its cluster, and each
 * cluster a rule for that tag. A rule whose tags are all of other clusters is left out. A rule with this
 * cluster's tag covers all its nodes.
 * https://cloud.google.com/kubernetes-engine/docs/concepts/firewall-rules#cluster-fws
 */
export function rulesFor({ ref, id }: Cluster, rules: readonly FirewallRule[]): FirewallRule[] {
  const own = `gke-${ref.name}-${id.slice(0, 8)}-node`;
  return rules.flatMap((rule) => {
    const { targetTags = [] } = rule;
    if (targetTags.includes(own)) return [{ ...rule, byName: false }];
    // A tag of a cluster of this name may be this cluster's, should GKE compute the hash in another way.
    const isOthers = (tag: string) =>
      NODE_TAG.test(tag) && tag.slice(0, -HASH_AND_NODE) !== `gke-${ref.name}`;
    return targetTags.length > 0 && targetTags.every(isOthers) ? [] : [rule];
  });
}

export interface PodAddresses {
  readonly known: readonly AddressRange[];
  /** Names of ranges, and texts that are no IPv4 range. */
  readonly unknown: readonly string[];
}

export function rangesOf({ podRanges, ref }: Cluster): PodAddresses {
  const parsed = podRanges.cidrs.map((cidr) => ({ cidr, range: parseRange(cidr) }));
  const known = parsed.flatMap(({ range }) => (range === undefined ? [] : [range]));
  const malformed = parsed.filter(({ range }) => range === undefined).map(({ cidr }) => cidr);
  const none = podRanges.cidrs.length + podRanges.namesOnly.length === 0 ? [`of ${clusterId(ref)}`] : [];
  return { known, unknown: [...malformed, ...podRanges.namesOnly, ...none] };
}

/**
 * Evaluates the rules as the VPC does. `remote`: the addresses that these rules filter by; `own`: those of
 * the other side; `port`: the one port that matters, else all do. https://cloud.google.com/firewall/docs/firewalls#priority_order_for_firewall_rules
 */
export function decide(
  direction: "INGRESS" | "EGRESS",
  rules: readonly FirewallRule[],
  remote: readonly AddressRange[],
  own: readonly AddressRange[],
  port?: number,
): ConnectionVerdict {
  const relevant = rules
    .filter((rule) => rule.direction === direction)
    .flatMap((rule) => matchOf(rule, remote, own, port) ?? [])
    .toSorted(inOrder);
  const verdicts = segments(remote, relevant).map((segment) => firstMatch(direction, segment, relevant));
  const worst = (state: ConnectionVerdict["state"]) => verdicts.find((verdict) => verdict.state === state);
  return worst("missing") ?? worst("unknown") ?? ALLOWED;
}

/** A rule that may decide about connections of a pair. */
interface Match {
  readonly name: string;
  readonly action: "allow" | "deny";
  readonly priority: number;
  readonly ranges: readonly AddressRange[];
  /** It decides for all ports and all pods of these addresses. */
  readonly surely: boolean;
}

/** Undefined where the rule decides about other connections. */
function matchOf(
  rule: FirewallRule,
  remote: readonly AddressRange[],
  own: readonly AddressRange[],
  port: number | undefined,
): Match | undefined {
  const ports = portsOf(rule, port);
  if (ports === "none") return undefined;
  const ingress = rule.direction === "INGRESS";
  const ranges = addresses(ingress ? rule.sourceRanges : rule.destinationRanges);
  const limits = ingress ? rule.destinationRanges : rule.sourceRanges;
  const limited = limits.length > 0;
  if (!overlap(remote, ranges) || (limited && !overlap(own, addresses(limits)))) return undefined;
  const everyPod = !rule.byName && (!limited || subtract(own, addresses(limits)).length === 0);
  const { name, action, priority } = rule;
  return { name, action, priority, ranges, surely: everyPod && ports === "all" };
}

function inOrder(a: Match, b: Match): number {
  return a.priority - b.priority || Number(a.action === "allow") - Number(b.action === "allow");
}

/** Cuts the ranges so that each rule covers a piece as a whole or not at all. */
function segments(ranges: readonly AddressRange[], rules: readonly Match[]): AddressRange[] {
  const borders = [
    ...new Set(rules.flatMap((rule) => rule.ranges.flatMap(({ first, last }) => [first, last + 1]))),
  ];
  return ranges.flatMap((range) => {
    const inside = borders.filter((border) => border > range.first && border <= range.last);
    const starts = [range.first, ...inside.toSorted((a, b) => a - b)];
    return starts.map((first, index) => ({ first, last: (starts[index + 1] ?? range.last + 1) - 1 }));
  });
}

/** The first rule that surely matches decides, unless an earlier one may decide otherwise. */
function firstMatch(
  direction: "INGRESS" | "EGRESS",
  segment: AddressRange,
  rules: readonly Match[],
): ConnectionVerdict {
  const own = rules.filter(({ ranges }) => overlap([segment], ranges));
  const sure = own.find(({ surely }) => surely);
  const action = sure?.action ?? (direction === "INGRESS" ? "deny" : "allow");
  const before = sure === undefined ? own : own.slice(0, own.indexOf(sure));
  const doubts = before.filter((rule) => rule.action !== action);
  if (doubts.length > 0) return { state: "unknown", why: doubtOf(doubts) };
  if (action === "allow") return ALLOWED;
  const why =
    sure === undefined
      ? "no rule allows them, and a VPC denies what none allows"
      : `rule ${sure.name} denies them`;
  return { state: "missing", why };
}

function doubtOf(rules: readonly Match[]): string {
  const names = rules.map(({ name }) => name).join(", ");
  return `${names} may decide: a rule for only some ports, nodes or addresses`;
}

function portsOf({ tcp }: FirewallRule, port: number | undefined): "all" | "some" | "none" {
  if (typeof tcp === "string") return tcp;
  if (port !== undefined) return tcp.some((ports) => includesPort(ports, port)) ? "all" : "none";
  if (tcp.every((ports) => ADMINISTRATIVE_PORTS.has(ports))) return "none";
  return tcp.some((ports) => ports === "0-65535" || ports === "1-65535") ? "all" : "some";
}

/** `80` or `8000-8999` */
function includesPort(ports: string, port: number): boolean {
  const [first = "", last = first] = ports.split("-");
  return Number(first) <= port && port <= Number(last);
}

/** Skips IPv6 ranges: Istio uses IPv4 here. */
function addresses(cidrs: readonly string[]): AddressRange[] {
  return cidrs.flatMap((cidr) => parseRange(cidr) ?? []);
}

export interface Ends {
  readonly from: Cluster;
  readonly to: Cluster;
  readonly source: PodAddresses;
  readonly target: PodAddresses;
}

export function mayDecide({ direction, region, remoteRanges }: PolicyRule, ends: Ends): boolean {
  const [own, remote] = direction === "INGRESS" ? [ends.to, ends.source] : [ends.from, ends.target];
  if (region !== undefined && !own.ref.location.startsWith(region)) return false;
  if (remoteRanges === undefined || remote.unknown.length > 0) return true;
  return overlap(remote.known, addresses(remoteRanges));
}

/** A finding for each pair that no rule lets through. The cure mends all of them at once. */
export function firewallMissing(
  network: VpcRef,
  members: readonly Cluster[],
  verdicts: readonly PairVerdict[],
): Finding[] {
  const { cure } = createRule(network, members);
  return verdicts
    .filter(({ state }) => state === "missing")
    .map(({ from, to, why }) =>
      finding(
        "FirewallMissing",
        `requests from pods of ${clusterId(from.ref)} to pods of ${clusterId(to.ref)} do not get through network ${networkName(network)}: ${why}`,
        cure,
        clusterId(to.ref),
      ),
    );
}

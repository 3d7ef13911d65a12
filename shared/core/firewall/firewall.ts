import { type Finding, finding } from "../answers/finding.ts";
import { type AddressRange, overlap, parseRange, subtract } from "../cluster/address-ranges.ts";
import type { Cluster, VpcRef } from "../cluster/cluster.ts";
import { clusterId, networkName } from "../names.ts";
import { createRule } from "./firewall-rule.ts";

/** A VPC firewall rule, reduced to what decides about a connection; https://cloud.google.com/firewall/docs/firewalls */
export interface FirewallRule {
  readonly name: string;
  readonly direction: "INGRESS" | "EGRESS";
  readonly action: "allow" | "deny";
  /** 0 to 65535; the lower one decides, and of equal ones the one that denies. */
  readonly priority: number;
  /** TCP ports, like `80` and `8000-8999`; `all` where none are named, `none` where the rule is not about TCP. */
  readonly tcp: "all" | "none" | readonly string[];
  /** CIDR ranges. */
  readonly sourceRanges: readonly string[];
  readonly destinationRanges: readonly string[];
  /** Of nodes that a tag or a service account names, so which of these connections it decides about is not known. */
  readonly byName: boolean;
  /** Where tags alone name the nodes: those tags. */
  readonly targetTags?: readonly string[];
}

/** A rule of a firewall policy that may decide before or after the VPC's own rules. */
export interface PolicyRule {
  /** `policy NAME, priority N` */
  readonly name: string;
  /** Of a regional policy. */
  readonly region?: string;
  readonly direction: "INGRESS" | "EGRESS";
  /** CIDR ranges of the other side; undefined where it is matched in another way. */
  readonly remoteRanges?: readonly string[];
}

/** What is in force in a network, disabled rules left out. */
export interface EffectiveFirewall {
  readonly rules: readonly FirewallRule[];
  readonly policyRules: readonly PolicyRule[];
}

/** Whether pods of `from` may open connections to pods of `to`. `why` completes "requests … are not let through: …". */
export interface PairVerdict {
  readonly from: Cluster;
  readonly to: Cluster;
  readonly state: "allowed" | "missing" | "unknown";
  readonly why: string;
}

/** Ports that rules of a default network and of GKE are about, and no workload of a mesh: SSH, RDP, kubelets. */
const ADMINISTRATIVE_PORTS = new Set(["22", "3389", "10250", "10255"]);

/** Each ordered pair of clusters of this network. Members of other networks are passed over. */
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

type Verdict = Pick<PairVerdict, "state" | "why">;

const ALLOWED: Verdict = { state: "allowed", why: "rules let them through" };

function checkPair(from: Cluster, to: Cluster, { rules, policyRules }: EffectiveFirewall): Verdict {
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
    return { state: "unknown", why: `what a firewall policy does to them is not looked at (${names})` };
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
 * The rules that may decide about nodes of a cluster. GKE gives each node a tag of its cluster, and each cluster a rule for these
 * nodes: what tags name nodes of other clusters alone is left out, and what names those of this cluster is about all of them.
 * https://cloud.google.com/kubernetes-engine/docs/concepts/firewall-rules#cluster-fws
 */
function rulesFor({ ref, id }: Cluster, rules: readonly FirewallRule[]): FirewallRule[] {
  const own = `gke-${ref.name}-${id.slice(0, 8)}-node`;
  return rules.flatMap((rule) => {
    const { targetTags = [] } = rule;
    if (targetTags.includes(own)) return [{ ...rule, byName: false }];
    // A tag of a cluster of this name may be one of this cluster, should the hash not be what it is taken for.
    const isOthers = (tag: string) =>
      NODE_TAG.test(tag) && tag.slice(0, -HASH_AND_NODE) !== `gke-${ref.name}`;
    return targetTags.length > 0 && targetTags.every(isOthers) ? [] : [rule];
  });
}

interface PodAddresses {
  readonly known: readonly AddressRange[];
  /** Their names, or what is no IPv4 range. */
  readonly unknown: readonly string[];
}

function rangesOf({ podRanges, ref }: Cluster): PodAddresses {
  const parsed = podRanges.cidrs.map((cidr) => ({ cidr, range: parseRange(cidr) }));
  const known = parsed.flatMap(({ range }) => (range === undefined ? [] : [range]));
  const unread = parsed.filter(({ range }) => range === undefined).map(({ cidr }) => cidr);
  const none = podRanges.cidrs.length + podRanges.namesOnly.length === 0 ? [`of ${clusterId(ref)}`] : [];
  return { known, unknown: [...unread, ...podRanges.namesOnly, ...none] };
}

/**
 * Goes through the rules as the VPC does. `remote` are the addresses of the side that these rules filter by, `own` those of
 * the other. https://cloud.google.com/firewall/docs/firewalls#priority_order_for_firewall_rules
 */
function decide(
  direction: "INGRESS" | "EGRESS",
  rules: readonly FirewallRule[],
  remote: readonly AddressRange[],
  own: readonly AddressRange[],
): Verdict {
  const relevant = rules
    .filter((rule) => rule.direction === direction)
    .flatMap((rule) => matchOf(rule, remote, own) ?? [])
    .toSorted(inOrder);
  const verdicts = segments(remote, relevant).map((segment) => firstMatch(direction, segment, relevant));
  const worst = (state: Verdict["state"]) => verdicts.find((verdict) => verdict.state === state);
  return worst("missing") ?? worst("unknown") ?? ALLOWED;
}

/** A rule that may be about connections of a pair. */
interface Match {
  readonly name: string;
  readonly action: "allow" | "deny";
  readonly priority: number;
  readonly ranges: readonly AddressRange[];
  /** It decides for all ports and all pods of these addresses. */
  readonly surely: boolean;
}

/** Undefined where the rule is about other connections. */
function matchOf(
  rule: FirewallRule,
  remote: readonly AddressRange[],
  own: readonly AddressRange[],
): Match | undefined {
  const ports = portsOf(rule);
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

/** Each is as a whole in or out of the ranges of every rule. */
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

/** The first rule that surely matches decides, unless one before it may have decided otherwise. */
function firstMatch(
  direction: "INGRESS" | "EGRESS",
  segment: AddressRange,
  rules: readonly Match[],
): Verdict {
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
  return `${names} may decide, a rule for some ports, nodes or addresses alone`;
}

function portsOf({ tcp }: FirewallRule): "all" | "some" | "none" {
  if (typeof tcp === "string") return tcp;
  if (tcp.every((ports) => ADMINISTRATIVE_PORTS.has(ports))) return "none";
  return tcp.some((ports) => ports === "0-65535" || ports === "1-65535") ? "all" : "some";
}

/** IPv6 ranges are about no address that Istio uses here. */
function addresses(cidrs: readonly string[]): AddressRange[] {
  return cidrs.flatMap((cidr) => parseRange(cidr) ?? []);
}

interface Ends {
  readonly from: Cluster;
  readonly to: Cluster;
  readonly source: PodAddresses;
  readonly target: PodAddresses;
}

function mayDecide({ direction, region, remoteRanges }: PolicyRule, ends: Ends): boolean {
  const [own, remote] = direction === "INGRESS" ? [ends.to, ends.source] : [ends.from, ends.target];
  if (region !== undefined && !own.ref.location.startsWith(region)) return false;
  if (remoteRanges === undefined || remote.unknown.length > 0) return true;
  return overlap(remote.known, addresses(remoteRanges));
}

/** Names every pair that nothing lets through, and mends all at once. */
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

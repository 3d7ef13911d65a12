import { overlap, parseRange } from "../../../shared/core/cluster/address-ranges.ts";
import { clusterId, networkName } from "../../../shared/core/names.ts";
import type { Fault } from "../faults/faults.ts";
import { type ClusterRecord, networkOf, podRange } from "../gke/cluster.ts";
import { nodeTag } from "../gke/firewall.ts";
import { passes, type Rule } from "./rule.ts";

/** A pod that opens or gets connections. */
export interface VpcPod {
  readonly clusterId: string;
  /** In the pod range of its cluster. */
  readonly address: string;
}

/** What the VPC does with connections between pods, as of now. */
export interface PodFirewall {
  /** An address of this cluster that no pod had before. */
  newAddress(clusterId: string): string;
  /** Whether a TCP connection is let through; a pod of a cluster that is gone reaches nothing. */
  lets(source: VpcPod, destination: VpcPod, port: number): boolean;
  /**
   * Whether a connection to a load balancer in front of pods is let through. One on the internet is open to
   * all, also to what is no pod (`source` is undefined then). An internal one is open to its VPC and to the
   * networks that are peered with it, which all networks of the sandbox are. GKE makes the firewall rule for
   * each itself, for the Service's source ranges.
   */
  letsToBalancer(source: VpcPod | undefined, balancer: VpcBalancer): boolean;
  /** Whether a fault may name it: a cluster ID, or a network. */
  knows(name: string): boolean;
}

/** A load balancer in front of pods of one cluster. */
export interface VpcBalancer {
  readonly clusterId: string;
  readonly port: number;
  readonly isInternal: boolean;
  /** Empty: all. */
  readonly sourceRanges: readonly string[];
}

export interface PodFirewallOptions {
  readonly clusters: () => readonly ClusterRecord[];
  readonly rules: (project: string, network: string) => readonly Rule[];
  readonly faults: () => readonly Fault[];
}

const ANYWHERE = "0.0.0.0/0";
const BYTES = [24, 16, 8, 0];
/** The first ones of a range are its network and the bridge of the first node. */
const RESERVED = 2;

export function createPodFirewall({ clusters, rules, faults }: PodFirewallOptions): PodFirewall {
  const given = new Map<string, number>();
  const find = (id: string): ClusterRecord | undefined => clusters().find(({ ref }) => clusterId(ref) === id);
  return {
    newAddress(id) {
      const cluster = find(id);
      const range = cluster && parseRange(podRange(cluster));
      if (range === undefined) throw new Error(`${id} has no range of IPv4 addresses for pods`);
      const address = range.first + RESERVED + (given.get(id) ?? 0);
      if (address > range.last) throw new Error(`${id} has no free address for a pod`);
      given.set(id, (given.get(id) ?? 0) + 1);
      return BYTES.map((shift) => (address >>> shift) & 255).join(".");
    },
    lets(source, destination, port) {
      const [from, to] = [find(source.clusterId), find(destination.clusterId)];
      if (from === undefined || to === undefined) return false;
      const network = vpcOf(to);
      if (networkName(vpcOf(from)) !== networkName(network)) return false;
      if (faults().some((fault) => drops(fault, from, to))) return false;
      return passes(rules(network.project, network.name), {
        source: { address: source.address, nodeTags: [nodeTag(from)] },
        destination: { address: destination.address, nodeTags: [nodeTag(to)] },
        port,
      });
    },
    letsToBalancer(source, { clusterId: id, isInternal, sourceRanges }) {
      if (source === undefined) {
        const ranges = sourceRanges.length === 0 ? [ANYWHERE] : sourceRanges;
        return find(id) !== undefined && !isInternal && ranges.includes(ANYWHERE);
      }
      const [from, to] = [find(source.clusterId), find(id)];
      if (from === undefined || to === undefined) return false;
      if (faults().some((fault) => drops(fault, from, to))) return false;
      // On the internet a pod comes with an address of Cloud NAT, which the sandbox does not have.
      return (
        !isInternal || sourceRanges.length === 0 || sourceRanges.some((range) => holds(range, source.address))
      );
    },
    knows: (name) => clusters().some((cluster) => isNamed(cluster, name)),
  };
}

function holds(range: string, address: string): boolean {
  const [one, other] = [parseRange(range), parseRange(address)];
  return one !== undefined && other !== undefined && overlap([one], [other]);
}

function vpcOf({ ref, request }: ClusterRecord) {
  return networkOf(ref.project, request.stated);
}

function isNamed(cluster: ClusterRecord, name: string | undefined): boolean {
  return clusterId(cluster.ref) === name || vpcOf(cluster).name === name;
}

function drops({ kind, from, to }: Fault, source: ClusterRecord, destination: ClusterRecord): boolean {
  return kind === "firewall" && isNamed(source, from) && isNamed(destination, to);
}

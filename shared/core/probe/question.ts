import type { Cluster } from "../cluster/cluster.ts";
import type { NamedCluster } from "../member/observation.ts";
import type { ProbeEndpoint } from "./endpoints.ts";

/** The facts about a pair that an answer is judged by. */
export interface ProbeQuestion {
  readonly reader: NamedCluster;
  readonly target: NamedCluster;
  /** Of the gateways of the target's network; undefined where Meshjoin does not know them. */
  readonly gateways: readonly string[] | undefined;
  /** Of the mesh, for the ranges in a firewall rule. */
  readonly members: readonly Cluster[];
}

/** What a further look tells where the answer alone does not. */
export interface SecondLook {
  /** The endpoints that the reader's Envoy has for the target; undefined: not looked at, or no cluster. */
  readonly endpoints?: readonly ProbeEndpoint[] | undefined;
  /** Whether the target's probe gets through to itself; undefined: not asked. */
  readonly targetAnswersItself?: boolean | undefined;
}

export function isOneNetwork({ reader, target }: ProbeQuestion): boolean {
  return reader.network === target.network;
}

export function isGatewayOf({ gateways = [] }: ProbeQuestion, address: string | undefined): boolean {
  return address !== undefined && gateways.includes(address);
}

import type { GatewayAddress, IngressAddress } from "../cluster/load-balancers.ts";
import type { RunningIstiod } from "../cluster/running-cluster.ts";

/** A RUNNING cluster of the sandbox. */
export interface FleetMember {
  readonly clusterId: string;
  readonly project: string;
  readonly location: string;
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  /** Istio's name of its VPC. */
  readonly network: string;
  /** Of its east-west gateway; null while it has none with an address. */
  readonly gateway: GatewayAddress | null;
  /** Where users reach its ingress; null while it has none with an address. */
  readonly ingress: IngressAddress | null;
  /** Path of a kubeconfig with all rights. */
  readonly kubeconfig: string;
  /** Those that run, the oldest first. */
  readonly istiods: readonly RunningIstiod[];
  /** `http://host:port` of the plain HTTP port of the first of them; absent until istiod runs. */
  readonly istiodHttp?: string;
}

/** A pod that opens or gets connections. */
export interface PodIdentity {
  readonly clusterId: string;
  /** `127.a.b.c`: the source of the connections that it opens, by which it is known. */
  readonly loopback: string;
}

/** A load balancer in front of pods of one cluster. */
export interface Balancer {
  readonly clusterId: string;
  /** Where it listens. */
  readonly address: string;
  readonly port: number;
  /** In the VPC, and not on the internet. */
  readonly isInternal: boolean;
  /** The only ranges that it lets in; empty: all. */
  readonly sourceRanges: readonly string[];
  /** Of a listener on 127.0.0.1. */
  readonly target: number;
}

/** The network between pods, for the clusters whose proxies run. */
export interface ProxyNetwork {
  /** Undefined where connections do not show which pod has opened them. */
  addPod(clusterId: string): PodIdentity | undefined;
  /** Answers what closes it. */
  balance(balancer: Balancer): Promise<() => Promise<void>>;
  /** Load balancers of the cluster open no connection while the work goes on; what comes waits for it. */
  hold(clusterId: string, work: () => Promise<void>): Promise<void>;
}

/**
 * For pilot-agent's `ISTIO_BOOTSTRAP_OVERRIDE`: Envoy opens every connection from this address, those to its
 * own pod included.
 * https://istio.io/latest/docs/reference/config/annotations/#SidecarBootstrapOverride
 */
export function bootstrapOverride(source: string): string {
  const sourceAddress = { address: source, port_value: 0 };
  return JSON.stringify({ cluster_manager: { upstream_bind_config: { source_address: sourceAddress } } });
}

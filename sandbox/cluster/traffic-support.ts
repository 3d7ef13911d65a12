import type { V1Pod } from "@kubernetes/client-node";
import { parse, stringify } from "yaml";
import type { TrafficBinaries } from "../binaries/traffic.ts";
import type { ProxyNetwork } from "./proxies.ts";

/** What the node stand-in does differently where Envoys are to talk to each other. */
export interface TrafficSupport {
  /**
   * The address of every pod that asks for it: one that Envoys of all clusters reach, and that no API server
   * refuses.
   */
  readonly hostAddress: string;
  /** The first two bytes of the addresses of load balancers; no other sandbox of the machine has them. */
  readonly balancers: string;
  /** What the proxies of pods are made of. */
  readonly binaries: TrafficBinaries;
  /** Undefined until the fleet has one. */
  readonly network: () => ProxyNetwork | undefined;
}

/** On a pod whose listeners are those of processes on this machine, each on a port of its own. */
export const HOST_ADDRESS_ANNOTATION = "sandbox.meshjoin.dev/host-address";

export function asksForHostAddress(pod: V1Pod): boolean {
  return pod.metadata?.annotations?.[HOST_ADDRESS_ANNOTATION] === "true";
}

/**
 * For istiod: the Envoy that is not built by Istio lacks `istio.alpn`, `istio.metadata_exchange` and
 * `istio.stats`, and refuses a configuration that names one of them.
 */
export const VANILLA_ENVOY_ENV = {
  PILOT_DISABLE_MX_ALPN: "true",
  PILOT_ENABLE_ALPN_FILTER: "false",
  PILOT_ENABLE_METADATA_EXCHANGE: "false",
  PILOT_ENABLE_TELEMETRY_LABEL: "false",
  PILOT_ENDPOINT_TELEMETRY_LABEL: "false",
} as const;

/** The mesh configuration, with a log line for each request and without what such an Envoy lacks. */
export function forVanillaEnvoy(meshConfig: string): string {
  const mesh: unknown = parse(meshConfig);
  return stringify({
    ...(typeof mesh === "object" ? mesh : {}),
    accessLogFile: "/dev/stdout",
    defaultProviders: {},
    enablePrometheusMerge: false,
  });
}

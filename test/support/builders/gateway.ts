import type { GatewayState } from "../../../shared/core/network/gateway.ts";

/** Meshjoin's own, up, and as it should be where settings are the network and the exposure. */
export function aGateway(network: string, seed: Partial<GatewayState> = {}): GatewayState {
  return {
    service: "meshjoin-eastwest-istio",
    gateway: "meshjoin-eastwest",
    network,
    settings: `${network} internal`,
    exposure: "internal",
    addresses: ["192.0.2.1"],
    isServing: true,
    ...seed,
  };
}

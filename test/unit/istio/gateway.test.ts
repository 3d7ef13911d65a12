import { describe, expect, it } from "@jest/globals";
import { isUp } from "../../../shared/core/network/gateway.ts";
import { gatewayStates } from "../../../shared/istio/gateway.ts";

const SLICE = {
  apiVersion: "discovery.k8s.io/v1",
  kind: "EndpointSlice",
  metadata: { name: "any-x", namespace: "istio-system", labels: { "kubernetes.io/service-name": "any" } },
  endpoints: [{ addresses: ["10.0.0.9"], conditions: { ready: true } }],
};

function service(labels: Readonly<Record<string, string>>, spec?: object) {
  return {
    apiVersion: "v1",
    kind: "Service",
    metadata: {
      name: "any",
      namespace: "istio-system",
      labels: { "topology.istio.io/network": "a", ...labels },
    },
    ...(spec === undefined ? {} : { spec }),
    status: { loadBalancer: { ingress: [{ ip: "192.0.2.1" }] } },
  };
}

describe("a Service with the label of a network", () => {
  const own = { "networking.istio.io/gatewayPort": "21302" };
  it.each<[string, Readonly<Record<string, string>>, object | undefined, boolean]>([
    ["that listens on the gateway's port", {}, { ports: [{ port: 15_021 }, { port: 15_443 }] }, true],
    ["with a port of its own", own, { ports: [{ port: 21_302 }] }, true],
    ["that names a port of its own and does not listen there", own, { ports: [{ port: 15_443 }] }, false],
    ["of an ingress alone", {}, { ports: [{ port: 80 }, { port: 443 }] }, false],
    ["without ports", {}, {}, false],
    ["without a spec", {}, undefined, false],
    [
      "with nonsense for a port",
      { "networking.istio.io/gatewayPort": "tls" },
      { ports: [{ port: 15_443 }] },
      true,
    ],
  ])("%s", (_, labels, spec, isGateway) => {
    const states = gatewayStates([service(labels, spec)], [SLICE, { ...SLICE, metadata: { name: "x" } }]);
    expect(states.map(isUp)).toEqual(isGateway ? [true] : []);
  });
});

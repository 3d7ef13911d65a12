import { expect, it } from "@jest/globals";
import { isOnHost } from "../../../../../sandbox/cluster/node/node.ts";

const podOf = (image: string, ...args: string[]) => ({
  spec: { containers: [{ name: "istio-proxy", image, args }] },
});

it.each([
  ["a sidecar", podOf("registry.istio.io/release/proxyv2:1.31.4", "proxy", "sidecar"), true],
  ["a gateway's router", podOf("registry.istio.io/release/proxyv2:1.31.4", "proxy", "router"), false],
  ["istiod", podOf("registry.istio.io/release/pilot:1.31.4", "discovery"), false],
  [
    "a pod that asks for it",
    { metadata: { annotations: { "sandbox.meshjoin.dev/host-address": "true" } } },
    true,
  ],
])("whether %s has the address of this machine", (_, pod, isSo) => {
  expect(isOnHost(pod)).toBe(isSo);
});

import { describe, expect, it } from "@jest/globals";
import type { V1Container, V1Pod } from "@kubernetes/client-node";
import {
  type ContainerContext,
  istiodContainer,
  resolveArgs,
  resolveEnv,
} from "../../../../../sandbox/cluster/node/container-spec.ts";

function aPod(container: Partial<V1Container>): V1Pod {
  return {
    metadata: { name: "istiod-1", namespace: "istio-system", labels: { app: "istiod" } },
    spec: { serviceAccountName: "istiod", containers: [{ name: "discovery", ...container }] },
  };
}

function contextOf(container: Partial<V1Container>): ContainerContext {
  const pod = aPod(container);
  return {
    pod,
    container: { name: "discovery", ...container },
    podIp: "10.100.0.1",
    node: { name: "n", ip: "10.100.255.254", cpus: 4, memoryBytes: 2 ** 30 },
    lookup: (kind, name) =>
      kind === "configmaps" && name === "there" ? new Map([["key", Buffer.from("value")]]) : undefined,
  };
}

describe("istiodContainer", () => {
  it.each([
    ["docker.io/istio/pilot:1.31.4", true],
    ["hub.example/mesh/pilot:1.31.4-distroless", true],
    ["hub.example/pilot@sha256:0123", true],
    ["docker.io/istio/proxyv2:1.31.4", false],
    ["example/autopilot:1", false],
  ])("of image %s: %s", (image, found) => {
    expect(istiodContainer(aPod({ image })) !== undefined).toBe(found);
  });
});

describe("resolveEnv", () => {
  it("reads fields, resources of the node where there is no limit, and references", () => {
    const env = resolveEnv(
      contextOf({
        env: [
          { name: "POD_NAME", valueFrom: { fieldRef: { fieldPath: "metadata.name" } } },
          { name: "SERVICE_ACCOUNT", valueFrom: { fieldRef: { fieldPath: "spec.serviceAccountName" } } },
          { name: "APP", valueFrom: { fieldRef: { fieldPath: "metadata.labels['app']" } } },
          { name: "GOMAXPROCS", valueFrom: { resourceFieldRef: { resource: "limits.cpu", divisor: "1" } } },
          { name: "FROM_MAP", valueFrom: { configMapKeyRef: { name: "there", key: "key" } } },
          { name: "ABSENT", valueFrom: { configMapKeyRef: { name: "gone", key: "key", optional: true } } },
          { name: "BOTH", value: "$(POD_NAME).$(UNKNOWN)" },
        ],
      }),
      "/root",
    );
    expect(env).toEqual({
      POD_NAME: "istiod-1",
      SERVICE_ACCOUNT: "istiod",
      APP: "istiod",
      GOMAXPROCS: "4",
      FROM_MAP: "value",
      BOTH: "istiod-1.$(UNKNOWN)",
    });
  });

  it("rounds a limited resource up, as the kubelet does", () => {
    const env = resolveEnv(
      contextOf({
        resources: { limits: { cpu: "1500m" } },
        env: [
          { name: "GOMAXPROCS", valueFrom: { resourceFieldRef: { resource: "limits.cpu", divisor: "1" } } },
        ],
      }),
      "/root",
    );
    expect(env).toEqual({ GOMAXPROCS: "2" });
  });

  it("moves paths below a mount into the directory that stands for the container's root", () => {
    const container = {
      volumeMounts: [{ name: "remote", mountPath: "/var/run/secrets/remote" }],
      env: [{ name: "KUBECONFIG", value: "/var/run/secrets/remote/config" }],
      args: ["discovery", "/var/run/secrets/remote", "/elsewhere"],
    };
    const context = contextOf(container);
    expect(resolveEnv(context, "/root")).toEqual({ KUBECONFIG: "/root/var/run/secrets/remote/config" });
    expect(resolveArgs(context.container, {}, "/root")).toEqual([
      "discovery",
      "/root/var/run/secrets/remote",
      "/elsewhere",
    ]);
  });
});

import { describe, expect, it } from "@jest/globals";
import { bootstrapOverride } from "../../../../sandbox/cluster/proxies.ts";
import { proxyDefaults, sidecarEnv } from "../../../../sandbox/traffic/sidecar-settings.ts";

const settings = {
  app: "client",
  clusterId: "cn-p-l-c",
  meshId: "m",
  istioVersion: "1.31.4",
  network: "p.default",
  address: "192.0.2.7",
  ports: { admin: 1, status: 2, envoyStatus: 3, prometheus: 4, dns: 5 },
  envoy: "/binaries/envoy",
  istiod: "127.0.0.1:5",
  proxyMetadata: { PROXY_CONFIG_XDS_AGENT: "true", SECRET_TTL: "1m" },
} as const;

describe("proxyDefaults", () => {
  it("reads what the mesh configuration gives to every sidecar", () => {
    const mesh = "defaultConfig:\n  meshId: m\n  proxyMetadata:\n    A: b\n";
    expect(proxyDefaults(mesh)).toEqual({ meshId: "m", proxyMetadata: { A: "b" } });
  });

  it.each(["", "accessLogFile: /dev/stdout"])("finds nothing in %j", (mesh) => {
    expect(proxyDefaults(mesh)).toEqual({ meshId: "", proxyMetadata: {} });
  });
});

describe("sidecarEnv", () => {
  it("has the mesh's own settings", () => {
    expect(sidecarEnv(settings)).toMatchObject({
      PROXY_CONFIG_XDS_AGENT: "true",
      SECRET_TTL: "1m",
      ISTIO_META_ISTIO_VERSION: "1.31.4",
    });
  });

  it("adds to Envoy's first configuration where pods have addresses of their own", () => {
    expect(sidecarEnv(settings)).not.toHaveProperty("ISTIO_BOOTSTRAP_OVERRIDE");
    expect(sidecarEnv({ ...settings, bootstrapOverride: "/more.json" })).toMatchObject({
      ISTIO_BOOTSTRAP_OVERRIDE: "/more.json",
    });
    expect(JSON.parse(bootstrapOverride("127.64.0.1"))).toMatchObject({
      cluster_manager: { upstream_bind_config: { source_address: { address: "127.64.0.1" } } },
    });
  });

  it("holds nothing of this process's own environment", () => {
    expect(Object.keys(sidecarEnv(settings))).not.toContain("PATH");
  });
});

import { readFileSync } from "node:fs";
import { describe, expect, it } from "@jest/globals";
import { istioOperator } from "../../../../scripts/build/manifest/render-settings.ts";
import { parsePin } from "../../../../shared/istio/pin.ts";

const ISTIO = new URL("../../../../shared/istio/", import.meta.url);
const PIN = { release: "1.31.4", hub: "docker.io/istio", tag: "1.31.4", sandboxModule: "v0.0.0-1" };
const SETTINGS = {
  meshId: "m",
  clusterId: "c",
  network: "n",
  workloadTtl: "24h",
  hub: "mirror.example:5000/istio",
  dnsCapture: "false",
} as const;

describe("parsePin", () => {
  it("takes the project's own", () => {
    const pin = parsePin(readFileSync(new URL("pin.json", ISTIO), "utf8"));
    const goMod = readFileSync(new URL("../../../../sandbox/binaries/go.mod", import.meta.url), "utf8");
    expect(goMod).toContain(`istio.io/istio ${pin.sandboxModule}`);
  });

  it.each([
    ["a hub of development builds", { hub: "docker.io/istio/testing" }, "moving target"],
    ["a tag that moves", { tag: "latest" }, "moving target"],
    ["a release that loses endpoints", { release: "1.30.5", tag: "1.30.5" }, "1.31 or newer"],
    ["a release candidate", { release: "1.31.0-rc.0", tag: "1.31.0-rc.0" }, "1.31 or newer"],
    ["two versions", { tag: "1.31.3" }, "one version"],
    ["a longer version", { tag: "1.31.40" }, "one version"],
    ["no hub", { hub: "" }, "no hub"],
    ["a hub with a scheme", { hub: "https://docker.io/istio" }, "like docker.io/istio"],
  ])("refuses %s", (_, change, why) => {
    expect(() => parsePin(JSON.stringify({ ...PIN, ...change }))).toThrow(why);
  });

  it("takes a flavour of the release", () => {
    expect(parsePin(JSON.stringify({ ...PIN, tag: "1.31.4-distroless" }))).toMatchObject({
      tag: "1.31.4-distroless",
    });
  });
});

describe("istioOperator", () => {
  it("sets what a mesh stands on", () => {
    expect(istioOperator(PIN, "", SETTINGS)).toEqual({
      apiVersion: "install.istio.io/v1alpha1",
      kind: "IstioOperator",
      spec: {
        profile: "minimal",
        hub: "mirror.example:5000/istio",
        tag: "1.31.4",
        meshConfig: {
          defaultConfig: {
            proxyMetadata: {
              PROXY_CONFIG_XDS_AGENT: "true",
              SECRET_TTL: "24h",
              ISTIO_META_DNS_CAPTURE: "false",
            },
          },
        },
        values: {
          defaultRevision: "default",
          pilot: { autoscaleMin: 2, env: { ISTIO_MULTIROOT_MESH: "true", MAX_WORKLOAD_CERT_TTL: "24h" } },
          global: { meshID: "m", network: "n", multiCluster: { clusterName: "c" } },
        },
      },
    });
  });

  it("keeps what the user set beside it", () => {
    const user = "meshConfig: {accessLogFile: /dev/stdout}\nvalues: {pilot: {env: {A: b}, autoscaleMax: 9}}";
    expect(istioOperator(PIN, user, SETTINGS)).toMatchObject({
      spec: {
        meshConfig: { accessLogFile: "/dev/stdout", defaultConfig: expect.anything() },
        values: { pilot: { autoscaleMax: 9, env: { A: "b", ISTIO_MULTIROOT_MESH: "true" } } },
      },
    });
  });

  it("takes the project's own values", () => {
    const user = readFileSync(new URL("values.yaml", ISTIO), "utf8");
    expect(istioOperator(PIN, user, SETTINGS)).toMatchObject({
      spec: { values: { global: { meshID: "m" } } },
    });
  });

  it.each([
    ["the mesh ID", "values: {global: {meshID: other}}", "values.global.meshID"],
    ["the root setting", 'values: {pilot: {env: {ISTIO_MULTIROOT_MESH: "false"}}}', "ISTIO_MULTIROOT_MESH"],
    ["a whole branch", "values: {global: none}", "values.global,"],
    ["the hub", "hub: example.com", "hub"],
    ["anything at all", "- 1", "no mapping"],
  ])("refuses a user who sets %s", (_, user, why) => {
    expect(() => istioOperator(PIN, user, SETTINGS)).toThrow(why);
  });
});

import { describe, expect, it } from "@jest/globals";
import { loadConfig } from "../../shared/config.ts";
import { ConfigError } from "../../shared/errors.ts";

const MINIMAL = { MESHJOIN_MESH_ID: "prod", MESHJOIN_PROJECTS: "fleet-east,fleet-west" };

function faultsOf(env: Record<string, string>): string[] {
  try {
    loadConfig(env);
  } catch (error) {
    if (error instanceof ConfigError) return error.message.split("\n  ").slice(1);
    throw error;
  }
  return [];
}

describe("loadConfig", () => {
  it("fills in every default", () => {
    expect(loadConfig(MINIMAL)).toEqual({
      spec: {
        meshId: "prod",
        projects: ["fleet-east", "fleet-west"],
        rootProject: "fleet-east",
        meshLabel: "mesh_id",
        allow: [],
        keyAlgorithm: "ec-p256",
        intermediateTtl: 7_776_000,
        workloadTtl: 86_400,
        clockSkew: 300,
        tokenTtl: 604_800,
        massLeaveShare: 0.5,
        drainShare: 0.5,
        leaveGrace: 3600,
        rotationShare: 0.2,
        gateways: "auto",
        gatewayExposure: "internal",
        gatewaySourceRanges: [],
        gatewaySettle: 60,
        connectedNetworks: [],
        probe: "off",
        failover: "on",
        ingress: "off",
        dnsCapture: "off",
        accessFunction: "auto",
        accessPeers: "auto",
      },
    });
  });

  it("takes every variable", () => {
    const config = loadConfig({
      MESHJOIN_MESH_ID: "m",
      MESHJOIN_PROJECTS: " example.com:fleet , other-project",
      MESHJOIN_ROOT_PROJECT: "root-project",
      MESHJOIN_MESH_LABEL: "mesh",
      MESHJOIN_ALLOW: "prod-*,edge-?",
      MESHJOIN_KEY_ALGORITHM: "rsa-4096",
      MESHJOIN_INTERMEDIATE_TTL: "36h",
      MESHJOIN_WORKLOAD_TTL: "360m",
      MESHJOIN_CLOCK_SKEW: "0s",
      MESHJOIN_TOKEN_TTL: "600s",
      MESHJOIN_ACCESS_FUNCTION: "private",
      MESHJOIN_ACCESS_PEERS: "dns",
      MESHJOIN_MASS_LEAVE_SHARE: "1",
      MESHJOIN_DRAIN_AFTER: "30m",
      MESHJOIN_DRAIN_SHARE: "0.3",
      MESHJOIN_LEAVE_GRACE: "0s",
      MESHJOIN_ROTATION_SHARE: ".25",
      MESHJOIN_GATEWAYS: "always",
      MESHJOIN_PROBE: "on",
      MESHJOIN_FAILOVER: "zone",
      MESHJOIN_INGRESS: "on",
      MESHJOIN_INGRESS_TLS_SECRET: "web.cert",
      MESHJOIN_DNS_CAPTURE: "on",
      MESHJOIN_GATEWAY_EXPOSURE: "external",
      MESHJOIN_GATEWAY_SETTLE: "90s",
      MESHJOIN_GATEWAY_SOURCE_RANGES: "10.0.0.0/8, 192.0.2.1",
      MESHJOIN_CONNECTED_NETWORKS: "shop.a+shop.b, dmz+host.c",
      MESHJOIN_SIGNER_URL: "https://sign-intermediate-abc-ew.a.run.app/",
      MESHJOIN_CONTAINER_ENDPOINT: "http://127.0.0.1:4001",
      MESHJOIN_SECRETMANAGER_ENDPOINT: "http://localhost:4002",
      MESHJOIN_COMPUTE_ENDPOINT: "http://localhost:4003",
      MESHJOIN_PROJECT_ENDPOINT: "http://localhost:4004",
      PATH: "/bin",
    });
    expect(config).toEqual({
      spec: {
        meshId: "m",
        projects: ["example.com:fleet", "other-project"],
        rootProject: "root-project",
        meshLabel: "mesh",
        allow: ["prod-*", "edge-?"],
        keyAlgorithm: "rsa-4096",
        intermediateTtl: 129_600,
        workloadTtl: 21_600,
        clockSkew: 0,
        tokenTtl: 600,
        massLeaveShare: 1,
        drainAfter: 1800,
        drainShare: 0.3,
        leaveGrace: 0,
        rotationShare: 0.25,
        gateways: "always",
        gatewayExposure: "external",
        gatewaySourceRanges: ["10.0.0.0/8", "192.0.2.1"],
        gatewaySettle: 90,
        connectedNetworks: [
          ["shop.a", "shop.b"],
          ["dmz", "host.c"],
        ],
        probe: "on",
        failover: "zone",
        ingress: "on",
        ingressTlsSecret: "web.cert",
        dnsCapture: "on",
        accessFunction: "private",
        accessPeers: "dns",
      },
      signerUrl: "https://sign-intermediate-abc-ew.a.run.app",
      containerEndpoint: "http://127.0.0.1:4001",
      secretManagerEndpoint: "http://localhost:4002",
      computeEndpoint: "http://localhost:4003",
      projectEndpoint: "http://localhost:4004",
    });
  });

  it("takes an empty variable for one that is not set", () => {
    expect(loadConfig({ ...MINIMAL, MESHJOIN_SIGNER_URL: "", MESHJOIN_TOKEN_TTL: " " })).toEqual(
      loadConfig(MINIMAL),
    );
  });

  it("passes over the variables of other parts of the project", () => {
    expect(loadConfig({ ...MINIMAL, MESHJOIN_BINARIES: "/opt/bin" })).toEqual(loadConfig(MINIMAL));
  });

  it.each([
    ["a mesh ID of Cloud Service Mesh", { MESHJOIN_MESH_ID: "proj-123" }, "proj-…"],
    ["a mesh ID with capitals", { MESHJOIN_MESH_ID: "Prod" }, "lower-case"],
    ["a mesh ID of 31 characters", { MESHJOIN_MESH_ID: "a".repeat(31) }, "1 to 30"],
    ["a mesh ID that ends with a hyphen", { MESHJOIN_MESH_ID: "prod-" }, "hyphen"],
    ["a mesh ID that YAML reads as a boolean", { MESHJOIN_MESH_ID: "true" }, "none of"],
    ["a mesh ID that YAML reads as nothing", { MESHJOIN_MESH_ID: "null" }, "none of"],
    ["a mesh ID that YAML 1.1 reads as a boolean", { MESHJOIN_MESH_ID: "y" }, "none of"],
    ["a network in two groups", { MESHJOIN_CONNECTED_NETWORKS: "a+b,b+c" }, "in one group"],
    ["a network alone in its group", { MESHJOIN_CONNECTED_NETWORKS: "a" }, "groups of networks"],
    ["a range that is none", { MESHJOIN_GATEWAY_SOURCE_RANGES: "10.0.0.0/40" }, "ranges of IPv4"],
    ["a project twice", { MESHJOIN_PROJECTS: "fleet-east,fleet-east" }, "once"],
    ["an empty project", { MESHJOIN_PROJECTS: "fleet-east," }, "commas"],
    ["a bad root project", { MESHJOIN_ROOT_PROJECT: "No" }, "project ID"],
    ["a bad label key", { MESHJOIN_MESH_LABEL: "Mesh" }, "label key"],
    ["a glob with braces", { MESHJOIN_ALLOW: "{a,b}" }, "globs"],
    ["an unknown algorithm", { MESHJOIN_KEY_ALGORITHM: "ed25519" }, "ec-p256"],
    ["a duration without unit", { MESHJOIN_INTERMEDIATE_TTL: "90" }, "90d"],
    ["a negative duration", { MESHJOIN_WORKLOAD_TTL: "-1h" }, "24h"],
    ["a duration of nothing", { MESHJOIN_WORKLOAD_TTL: "0h" }, "24h"],
    ["a composed duration", { MESHJOIN_CLOCK_SKEW: "1h30m" }, "5m"],
    ["a token that ends too soon", { MESHJOIN_TOKEN_TTL: "9m" }, "10m"],
    ["an unknown access", { MESHJOIN_ACCESS_PEERS: "direct" }, "auto, dns"],
    ["an empty share's look-alike", { MESHJOIN_ROTATION_SHARE: "." }, "above 0"],
    ["a share of nothing", { MESHJOIN_MASS_LEAVE_SHARE: "0.0" }, "above 0"],
    ["a share above all", { MESHJOIN_ROTATION_SHARE: "1.5" }, "up to 1"],
    ["a share in percent", { MESHJOIN_ROTATION_SHARE: "20%" }, "up to 1"],
    ["a signer without TLS", { MESHJOIN_SIGNER_URL: "http://sign.example.com" }, "https URL"],
    ["a signer with a query", { MESHJOIN_SIGNER_URL: "https://sign.example.com/?a=b" }, "without query"],
    ["a signer with a user", { MESHJOIN_SIGNER_URL: "https://me@sign.example.com" }, "https URL"],
    ["a signer by name", { MESHJOIN_SIGNER_URL: "sign-intermediate" }, "https URL"],
    ["a stand-in elsewhere", { MESHJOIN_CONTAINER_ENDPOINT: "http://example.com:80" }, "loopback"],
    ["a stand-in over HTTPS", { MESHJOIN_SECRETMANAGER_ENDPOINT: "https://127.0.0.1" }, "loopback"],
    ["a stand-in of Compute elsewhere", { MESHJOIN_COMPUTE_ENDPOINT: "https://compute.example" }, "loopback"],
    [
      "a stand-in by a look-alike",
      { MESHJOIN_CONTAINER_ENDPOINT: "http://127.0.0.1@example.com" },
      "loopback",
    ],
    ["a drain that comes too soon", { MESHJOIN_DRAIN_AFTER: "19m", MESHJOIN_PROBE: "on" }, "at least 20m"],
    [
      "a drain without probes",
      { MESHJOIN_DRAIN_AFTER: "20m" },
      "MESHJOIN_DRAIN_AFTER needs MESHJOIN_PROBE=on",
    ],
    ["short intermediates", { MESHJOIN_INTERMEDIATE_TTL: "5d" }, "6 times MESHJOIN_WORKLOAD_TTL"],
    ["a misspelt variable", { MESHJOIN_MESHID: "prod" }, "did you mean MESHJOIN_MESH_ID?"],
    ["a variable like none", { MESHJOIN_COLOUR_SCHEME_OF_LOGS: "red" }, "remove it"],
  ])("refuses %s and says what to do", (_, env, cure) => {
    const faults = faultsOf({ ...MINIMAL, ...env });
    expect(faults).toHaveLength(1);
    expect(faults[0]).toContain(Object.keys(env)[0]);
    expect(faults[0]).toContain(cure);
  });

  it("reports all faults at once, by name", () => {
    const faults = faultsOf({
      MESHJOIN_MESH_ID: "proj-1",
      MESHJOIN_TOKEN_TTL: "1m",
      MESHJOIN_INTERMEDIATE_TTL: "1d",
      MESHJOIN_PROJECT: "x",
    });
    expect(faults.map((fault) => fault.split(" ")[0])).toEqual([
      "MESHJOIN_MESH_ID",
      "MESHJOIN_PROJECTS",
      "MESHJOIN_TOKEN_TTL",
      "MESHJOIN_INTERMEDIATE_TTL",
      "MESHJOIN_PROJECT",
    ]);
  });

  it("is terminal", () => {
    expect(() => loadConfig({})).toThrow(
      expect.objectContaining({ code: "InvalidConfiguration", retryable: false }),
    );
  });
});

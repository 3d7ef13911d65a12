import type { protos } from "@google-cloud/container";
import { describe, expect, it } from "@jest/globals";
import { toCluster } from "../../../shared/adapters/gke-cluster.ts";

type GkeCluster = protos.google.container.v1.ICluster;

const CA = "LS0t";

/** As the REST client hands it over: names for enums, null for absent messages, "" for absent text. */
function anAnswer(change: GkeCluster = {}): GkeCluster {
  return {
    name: "one",
    location: "europe-west1",
    id: "f00d",
    status: "RUNNING",
    resourceLabels: { mesh_id: "prod" },
    network: "vpc",
    networkConfig: { network: "projects/host/global/networks/vpc" },
    ipAllocationPolicy: { useIpAliases: true },
    currentMasterVersion: "1.36.3-gke.100",
    endpoint: "34.1.2.3",
    masterAuth: { clusterCaCertificate: CA },
    ...change,
  };
}

describe("toCluster", () => {
  it("keeps what a mesh needs to know", () => {
    expect(toCluster("shop", anAnswer())).toEqual({
      ref: { project: "shop", location: "europe-west1", name: "one" },
      id: "f00d",
      status: "RUNNING",
      labels: { mesh_id: "prod" },
      network: { project: "host", name: "vpc" },
      vpcNative: true,
      podRanges: { cidrs: [], namesOnly: [] },
      serviceRange: "",
      autopilot: false,
      allowNetAdmin: false,
      privateNodes: false,
      addsNodes: false,
      kubernetesVersion: "1.36.3-gke.100",
      endpoints: { public: { kind: "public", server: "https://34.1.2.3", caData: CA } },
    });
  });

  it.each<[string, protos.google.container.v1.IAutopilot | null, object]>([
    ["of a Standard cluster", null, { autopilot: false, allowNetAdmin: false }],
    ["that refuses NET_ADMIN", { enabled: true }, { autopilot: true, allowNetAdmin: false }],
    [
      "that allows it",
      { enabled: true, workloadPolicyConfig: { allowNetAdmin: true } },
      { autopilot: true, allowNetAdmin: true },
    ],
  ])("reads the mode %s", (_, autopilot, expected) => {
    expect(toCluster("shop", anAnswer({ autopilot }))).toMatchObject(expected);
  });

  it.each<[unknown, string]>([
    [2, "RUNNING"],
    ["DEGRADED", "DEGRADED"],
    [6, "DEGRADED"],
    [4, "STOPPING"],
    [99, "STATUS_UNSPECIFIED"],
    ["HIBERNATING", "STATUS_UNSPECIFIED"],
    [null, "STATUS_UNSPECIFIED"],
  ])("reads the status %p as %s", (status, expected) => {
    const answer = anAnswer();
    Object.assign(answer, { status });
    expect(toCluster("shop", answer).status).toBe(expected);
  });

  it.each<[string, GkeCluster, object]>([
    ["of its own project", { networkConfig: null }, { project: "shop", name: "vpc" }],
    ["that no field names", { networkConfig: null, network: "" }, { project: "shop", name: "default" }],
  ])("names a network %s", (_, change, expected) => {
    expect(toCluster("shop", anAnswer(change)).network).toEqual(expected);
  });

  it.each([null, {}, { useIpAliases: false }])(
    "takes %j for a routes-based cluster",
    (ipAllocationPolicy) => {
      expect(toCluster("shop", anAnswer({ ipAllocationPolicy })).vpcNative).toBe(false);
    },
  );

  it.each<[string, GkeCluster, object]>([
    [
      "the cluster's own range, and a node pool's",
      {
        ipAllocationPolicy: { clusterIpv4CidrBlock: "10.4.0.0/14", clusterSecondaryRangeName: "pods" },
        nodePools: [
          { networkConfig: { podRange: "pods", podIpv4CidrBlock: "10.4.0.0/14" } },
          { networkConfig: { podRange: "more", podIpv4CidrBlock: "10.64.0.0/20" } },
        ],
      },
      { cidrs: ["10.4.0.0/14", "10.64.0.0/20"], namesOnly: [] },
    ],
    [
      "additional ranges that no node pool uses, by name",
      {
        ipAllocationPolicy: {
          clusterIpv4CidrBlock: "10.4.0.0/14",
          additionalPodRangesConfig: {
            podRangeNames: ["more", "spare"],
            podRangeInfo: [{ rangeName: "more" }, { rangeName: "spare" }],
          },
          additionalIpRangesConfigs: [{ podIpv4RangeNames: ["elsewhere"] }],
        },
        nodePools: [{ networkConfig: { podRange: "more", podIpv4CidrBlock: "10.64.0.0/20" } }],
      },
      { cidrs: ["10.4.0.0/14", "10.64.0.0/20"], namesOnly: ["spare", "elsewhere"] },
    ],
    [
      "that of a routes-based cluster",
      { ipAllocationPolicy: null, clusterIpv4Cidr: "10.8.0.0/14" },
      { cidrs: ["10.8.0.0/14"], namesOnly: [] },
    ],
    [
      "a node pool's range without addresses, by name",
      { nodePools: [{ networkConfig: { podRange: "pool", podIpv4CidrBlock: "" } }] },
      { cidrs: [], namesOnly: ["pool"] },
    ],
  ])("tells pods' addresses: %s", (_, change, podRanges) => {
    expect(toCluster("shop", anAnswer(change)).podRanges).toEqual(podRanges);
  });

  it.each<[string, GkeCluster, boolean]>([
    ["by default", { networkConfig: { defaultEnablePrivateNodes: true } }, true],
    ["in the words of before", { privateClusterConfig: { enablePrivateNodes: true } }, true],
    ["of one node pool", { nodePools: [{}, { networkConfig: { enablePrivateNodes: true } }] }, true],
    [
      "nowhere",
      {
        networkConfig: { defaultEnablePrivateNodes: false },
        privateClusterConfig: null,
        nodePools: [{ networkConfig: null }],
      },
      false,
    ],
  ])("knows private nodes: %s", (_, change, expected) => {
    expect(toCluster("shop", anAnswer(change)).privateNodes).toBe(expected);
  });

  it.each<[string, GkeCluster, string]>([
    [
      "that GKE chose",
      { ipAllocationPolicy: { servicesIpv4CidrBlock: "34.118.224.0/20", servicesIpv4Cidr: "/20" } },
      "34.118.224.0/20",
    ],
    [
      "of a routes-based cluster",
      { ipAllocationPolicy: null, servicesIpv4Cidr: "10.11.240.0/20" },
      "10.11.240.0/20",
    ],
    ["that is not there yet", { ipAllocationPolicy: { servicesIpv4CidrBlock: "" } }, ""],
  ])("tells the range of Services %s", (_, change, expected) => {
    expect(toCluster("shop", anAnswer(change)).serviceRange).toBe(expected);
  });

  it.each<[string, GkeCluster, boolean]>([
    ["Autopilot", { autopilot: { enabled: true } }, true],
    ["a node pool's autoscaler", { nodePools: [{}, { autoscaling: { enabled: true } }] }, true],
    ["auto-provisioning", { autoscaling: { enableNodeAutoprovisioning: true } }, true],
    [
      "nobody",
      {
        autopilot: {},
        autoscaling: { enableNodeAutoprovisioning: false },
        nodePools: [{ autoscaling: { enabled: false } }, {}],
      },
      false,
    ],
  ])("knows that nodes are added by %s", (_, change, expected) => {
    expect(toCluster("shop", anAnswer(change)).addsNodes).toBe(expected);
  });

  it("knows a control plane that is still being made", () => {
    const answer: GkeCluster = {
      name: "one",
      location: "europe-west1",
      status: "PROVISIONING",
      endpoint: "",
    };
    expect(toCluster("shop", answer)).toMatchObject({ kubernetesVersion: "", labels: {}, endpoints: {} });
  });

  it.each<[string, GkeCluster, Record<string, string>]>([
    [
      "both, as today's answers have them",
      ips({
        enabled: true,
        enablePublicEndpoint: true,
        publicEndpoint: "34.1.2.3",
        privateEndpoint: "10.0.0.2",
      }),
      { public: "https://34.1.2.3", private: "https://10.0.0.2" },
    ],
    [
      "the private one alone where the public one is off",
      ips({
        enabled: true,
        enablePublicEndpoint: false,
        publicEndpoint: "34.1.2.3",
        privateEndpoint: "10.0.0.2",
      }),
      { private: "https://10.0.0.2" },
    ],
    ["none where IP endpoints are off", ips({ enabled: false, privateEndpoint: "10.0.0.2" }), {}],
    [
      "both of an older private cluster",
      { privateClusterConfig: { publicEndpoint: "34.1.2.3", privateEndpoint: "10.0.0.2" } },
      { public: "https://34.1.2.3", private: "https://10.0.0.2" },
    ],
    [
      "the only one of an older cluster without a public endpoint",
      {
        endpoint: "10.0.0.2",
        privateClusterConfig: { enablePrivateEndpoint: true, privateEndpoint: "10.0.0.2" },
      },
      { private: "https://10.0.0.2" },
    ],
    ["IPv6 in brackets", { endpoint: "2600:1900::1" }, { public: "https://[2600:1900::1]" }],
    [
      "the DNS-based one, which has no CA of its own",
      {
        endpoint: "",
        controlPlaneEndpointsConfig: { dnsEndpointConfig: { endpoint: "gke-1.europe-west1.gke.goog" } },
      },
      { dns: "https://gke-1.europe-west1.gke.goog" },
    ],
  ])("offers %s", (_, change, expected) => {
    const { endpoints } = toCluster("shop", anAnswer(change));
    expect(Object.fromEntries(Object.entries(endpoints).map(([kind, { server }]) => [kind, server]))).toEqual(
      expected,
    );
    expect(endpoints.dns?.caData).toBeUndefined();
  });

  it.each([
    [{}, { allowsExternalTraffic: false, allowsKubernetesTokens: false }],
    [{ allowExternalTraffic: true }, { allowsExternalTraffic: true, allowsKubernetesTokens: false }],
    [
      { allowExternalTraffic: true, enableK8sTokensViaDns: true },
      { allowsExternalTraffic: true, allowsKubernetesTokens: true },
    ],
  ])("says who may come by the DNS-based endpoint: %j", (flags, expected) => {
    const dnsEndpointConfig = { endpoint: "gke-1.gke.goog", ...flags };
    const { endpoints } = toCluster("shop", anAnswer({ controlPlaneEndpointsConfig: { dnsEndpointConfig } }));
    expect(endpoints.dns).toMatchObject(expected);
  });
});

function ips(
  ipEndpointsConfig: protos.google.container.v1.ControlPlaneEndpointsConfig.IIPEndpointsConfig,
): GkeCluster {
  return { controlPlaneEndpointsConfig: { ipEndpointsConfig } };
}

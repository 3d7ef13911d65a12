import { describe, expect, it } from "@jest/globals";
import { brokenPromises } from "../../../../scripts/build/manifest/promises.ts";
import type { KubernetesObject } from "../../../../shared/ports/kubernetes-object.ts";

const PIN = {
  release: "1.31.4",
  hub: "example.com/istio",
  tag: "1.31.4-distroless",
  sandboxModule: "v0.0.0-1",
};
const SETTINGS = {
  meshId: "m",
  clusterId: "c",
  network: "n",
  workloadTtl: "24h",
  hub: PIN.hub,
  dnsCapture: "false",
} as const;

interface Seed {
  readonly image?: string;
  readonly env?: readonly object[];
  readonly replicas?: object;
  readonly mesh?: string;
}

const ENV = [
  { name: "POD_NAME", valueFrom: { fieldRef: { fieldPath: "metadata.name" } } },
  { name: "ISTIO_MULTIROOT_MESH", value: "true" },
  { name: "MAX_WORKLOAD_CERT_TTL", value: "24h" },
  { name: "CLUSTER_ID", value: "c" },
];
const MESH = `
defaultConfig: { meshId: m, proxyMetadata: { PROXY_CONFIG_XDS_AGENT: "true", SECRET_TTL: 24h, ISTIO_META_DNS_CAPTURE: "false", OTHER: x } }
trustDomain: cluster.local`;

/** What the promises are about, as istioctl renders it. */
function aRendering(seed: Seed = {}): KubernetesObject[] {
  const { image = "example.com/istio/pilot:1.31.4-distroless", env = ENV, mesh = MESH } = seed;
  const containers = [{ name: "discovery", image, env }, { name: "other" }];
  return [
    object("ServiceAccount", "istio-reader-service-account"),
    { ...object("Deployment", "istiod"), spec: { template: { spec: { containers } } } },
    {
      ...object("HorizontalPodAutoscaler", "istiod"),
      spec: { minReplicas: 2, maxReplicas: 5, ...seed.replicas },
    },
    object("PodDisruptionBudget", "istiod"),
    { ...object("ConfigMap", "istio"), data: { mesh } },
    {
      ...object("MutatingWebhookConfiguration", "istio-sidecar-injector"),
      metadata: { name: "istio-sidecar-injector" },
    },
    object("ValidatingWebhookConfiguration", "istio-validator-istio-system"),
    object("ValidatingWebhookConfiguration", "istiod-default-validator"),
  ];
}

function object(kind: string, name: string, namespace = "istio-system"): KubernetesObject {
  return { apiVersion: "v1", kind, metadata: { name, namespace } };
}

function without(kind: string, name: string): KubernetesObject[] {
  return aRendering().filter((each) => each.kind !== kind || each.metadata.name !== name);
}

function envWith(name: string, ...values: readonly string[]): Seed {
  return { env: [...ENV.filter((each) => each.name !== name), ...values.map((value) => ({ name, value }))] };
}

describe("a rendering keeps what a mesh stands on", () => {
  it.each<[string, KubernetesObject[]]>([
    ["as Meshjoin renders it", aRendering()],
    [
      "without a trust domain, for which Istio takes its own",
      aRendering({ mesh: MESH.replace(/trustDomain.*/, "") }),
    ],
    ["with as many istiods at most as at least", aRendering({ replicas: { maxReplicas: 2 } })],
    [
      "with more of the same kinds",
      [...aRendering(), object("ConfigMap", "values"), object("ServiceAccount", "x")],
    ],
  ])("%s", (_, objects) => {
    expect(brokenPromises(objects, PIN, SETTINGS)).toEqual([]);
  });
});

describe("a rendering breaks what a mesh stands on", () => {
  it.each<[string, KubernetesObject[], RegExp, string]>([
    [
      "another hub",
      aRendering({ image: "example.org/pilot:1.31.4-distroless" }),
      /^the image .* is example\.org\/pilot:.* instead of example\.com\/istio\/pilot:/,
      "values.global.hub",
    ],
    [
      "another tag",
      aRendering({ image: "example.com/istio/pilot:1.31.4" }),
      /^the image of istiod/,
      "values.pilot.tag",
    ],
    [
      "a single root",
      aRendering(envWith("ISTIO_MULTIROOT_MESH", "false")),
      /MULTIROOT_MESH of istiod is false instead of true/,
      "values.pilot.env.ISTIO_MULTIROOT_MESH",
    ],
    [
      "long-lived certificates",
      aRendering(envWith("MAX_WORKLOAD_CERT_TTL")),
      /^MAX_WORKLOAD_CERT_TTL of istiod is missing/,
      "values.pilot.env.MAX_WORKLOAD_CERT_TTL",
    ],
    [
      "two cluster IDs",
      aRendering(envWith("CLUSTER_ID", "other", "c")),
      /^CLUSTER_ID of istiod is other and c instead of c/,
      "values.pilot.env.CLUSTER_ID",
    ],
    [
      "a cluster ID from elsewhere",
      aRendering({ env: [...ENV.slice(0, 3), { name: "CLUSTER_ID", valueFrom: {} }] }),
      /is a reference instead of c/,
      "values.pilot.envVarFrom",
    ],
    [
      "one istiod",
      aRendering({ replicas: { minReplicas: 1 } }),
      /^the least number of istiods is 1 instead of 2/,
      "values.pilot.autoscaleMin",
    ],
    [
      "fewer istiods at most than at least",
      aRendering({ replicas: { maxReplicas: 1 } }),
      /^the greatest number of istiods is 1/,
      "values.pilot.autoscaleMax",
    ],
    [
      "no autoscaler",
      without("HorizontalPodAutoscaler", "istiod"),
      /^HorizontalPodAutoscaler istiod is missing/,
      "values.pilot.autoscaleEnabled",
    ],
    [
      "no disruption budget, as with a single istiod",
      without("PodDisruptionBudget", "istiod"),
      /^PodDisruptionBudget istiod is missing/,
      "values.global.defaultPodDisruptionBudget.enabled",
    ],
    [
      "another mesh ID",
      aRendering({ mesh: MESH.replace("meshId: m", "meshId: x") }),
      /meshId of the mesh is x instead of m/,
      "meshConfig.defaultConfig.meshId",
    ],
    [
      "roots that stay in the proxies",
      aRendering({ mesh: MESH.replace('"true"', '"false"') }),
      /XDS_AGENT of the mesh is false/,
      "meshConfig.defaultConfig.proxyMetadata.PROXY_CONFIG_XDS_AGENT",
    ],
    [
      "proxies that ask for longer certificates than istiod grants",
      aRendering({ mesh: MESH.replace("24h", "48h") }),
      /SECRET_TTL of the mesh is 48h instead of 24h/,
      "meshConfig.defaultConfig.proxyMetadata.SECRET_TTL",
    ],
    [
      "another trust domain",
      aRendering({ mesh: MESH.replace("cluster.local", "td1") }),
      /^trustDomain of the mesh is td1/,
      "meshConfig.trustDomain",
    ],
    [
      "no mesh configuration",
      without("ConfigMap", "istio"),
      /^ConfigMap istio is missing/,
      "values.pilot.configMap",
    ],
    [
      "no reader account",
      without("ServiceAccount", "istio-reader-service-account"),
      /reader-service-account is missing/,
      "values.global.enableReaderRBAC",
    ],
    [
      "no injector",
      without("MutatingWebhookConfiguration", "istio-sidecar-injector"),
      /^MutatingWebhookConfiguration/,
      "values.global.operatorManageWebhooks",
    ],
    [
      "no validator",
      without("ValidatingWebhookConfiguration", "istio-validator-istio-system"),
      /istio-validator-istio-system is missing/,
      "values.global.configValidation",
    ],
    [
      "no default validator",
      without("ValidatingWebhookConfiguration", "istiod-default-validator"),
      /^ValidatingWebhookConfiguration istiod-default-validator is missing/,
      "values.revision",
    ],
    [
      "a gateway",
      [...aRendering(), object("Deployment", "gateway")],
      /beside istiod is gateway instead of nothing/,
      "values.gateways",
    ],
  ])("with %s", (_, objects, message, key) => {
    const broken = brokenPromises(objects, PIN, SETTINGS);
    expect(broken).toEqual([expect.stringMatching(message)]);
    expect(broken[0]?.split(": correct ")[1]?.split(", ")).toContain(key);
  });

  it("in many ways, and all are named", () => {
    const mesh = "trustDomain: td1";
    const broken = brokenPromises(aRendering({ image: "x", env: [], mesh }), PIN, SETTINGS);
    expect(broken.map((each) => each.split(" ")[0])).toEqual([
      "the",
      "ISTIO_MULTIROOT_MESH",
      "MAX_WORKLOAD_CERT_TTL",
      "CLUSTER_ID",
      "defaultConfig.meshId",
      "defaultConfig.proxyMetadata.PROXY_CONFIG_XDS_AGENT",
      "defaultConfig.proxyMetadata.SECRET_TTL",
      "defaultConfig.proxyMetadata.ISTIO_META_DNS_CAPTURE",
      "trustDomain",
    ]);
  });

  it.each<[string, KubernetesObject[]]>([
    ["of another name", aRendering().map((each) => object(each.kind, `${each.metadata.name}-canary`))],
    ["in another namespace", aRendering().map((each) => object(each.kind, each.metadata.name, "other"))],
    ["nowhere", []],
  ])("with everything %s, and says so of each object once", (_, objects) => {
    const missing = brokenPromises(objects, PIN, SETTINGS).filter((each) => each.includes(" is missing: "));
    expect(missing).toHaveLength(8);
    for (const each of missing) expect(each).toContain("values.revision, values.global.istioNamespace");
  });
});
